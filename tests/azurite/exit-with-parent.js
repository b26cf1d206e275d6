// Preloaded into Azurite: ends it when the test that started it is gone, however it went. The test
// holds the other end of standard input.
process.stdin.on("end", () => process.exit(0)).on("error", () => process.exit(0)).resume();

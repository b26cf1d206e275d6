// Preloaded into Azurite: ends it in its orderly way, which saves its data, when the test that
// started it closes standard input or is gone, however it went.
const end = () => process.kill(process.pid, "SIGTERM");
process.stdin.on("end", end).on("error", end).resume();

//! What only the local store can show: several processes on one folder, death, a full disk.

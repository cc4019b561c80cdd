// What the operating system knows: the machine, and what processes wrote.
#ifndef TOKENDB_BENCH_PEERS_MACHINE_H_
#define TOKENDB_BENCH_PEERS_MACHINE_H_

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace tokendb::bench {

// "AMD EPYC, 2 cores, 23 GiB of memory".
std::string DescribeMachine();

// The first line of a command's output; empty if it failed.
std::string FirstLineOf(const std::string& command);

// What the files below `path` take on the device.
uint64_t DirectoryBytes(const std::string& path);

// What a process has caused to be written to the device: /proc/PID/io.
uint64_t ProcessBytesWritten(pid_t pid);

// The same of a process and all its children.
uint64_t ProcessTreeBytesWritten(pid_t pid);

// The time processors spent for a process and all its children, in seconds; in
// steps of 10 ms.
double ProcessTreeSeconds(pid_t pid);

// The same of this process, without its children, exactly.
double OwnSeconds();

// Writes the files below `path` to the device and drops them from the page
// cache, as far as nobody maps them.
void DropFromPageCache(const std::string& path);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_MACHINE_H_

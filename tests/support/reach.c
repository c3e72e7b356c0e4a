// SPDX-License-Identifier: MIT
/*
 * Reaches into another process, or uses a privilege; harmless either way.
 *
 *	reach PID read|write|seize|mem|environ|descriptor
 *	reach 0 mprotect|memfd|both|shared|filled|front|behind|view|int80
 *	reach 0 perf|setns|bpf|module|clone|detached
 *	reach self|thread-self|... own      writes to its own program by /proc/NAME/mem
 *	reach FOLDER twice                  maps a file there twice, to be written and to be run
 *	reach FOLDER chroot|pivot|remount|tree
 *	reach 0 wait            stays until it is ended
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* A function that returns at once. */
#if defined(__x86_64__)
static const unsigned char RETURN[] = { 0xc3 };
#else
static const unsigned char RETURN[] = { 0xc0, 0x03, 0x5f, 0xd6 };
#endif

/* An address that the other has too: both are this program, at the same places. */
static char here[64] = "kept";

static int reach_memory(pid_t pid, bool write)
{
	char copy[sizeof(here)] = "kept";
	struct iovec local = { copy, sizeof(copy) }, remote = { here, sizeof(here) };
	ssize_t done = write ? process_vm_writev(pid, &local, 1, &remote, 1, 0)
			     : process_vm_readv(pid, &local, 1, &remote, 1, 0);

	return done < 0;
}

static int reach_file(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC) < 0;
}

static int reach_descriptor(pid_t pid)
{
	int other = syscall(SYS_pidfd_open, pid, 0);

	return other < 0 || syscall(SYS_pidfd_getfd, other, 0, 0) < 0;
}

/* Twice: it is told once a program. */
static int turn_executable(void)
{
	for (int i = 0; i < 2; i++) {
		char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			return 1;
		page[0] = (char)0xc3;
		if (mprotect(page, 4096, PROT_READ | PROT_EXEC))
			return 1;
	}
	return 0;
}

/* Shared memory is written and becomes executable: without a name, or of a file in memory. */
static int turn_shared_executable(bool named)
{
	int fd = named ? memfd_create("filled", MFD_CLOEXEC) : -1;
	char *page;

	if (named && (fd < 0 || ftruncate(fd, 4096)))
		return 1;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | (named ? 0 : MAP_ANONYMOUS),
		    fd, 0);
	if (page == MAP_FAILED)
		return 1;
	page[0] = (char)0xc3;
	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

/* Written memory becomes executable with pages of a program in front of it, each an area. */
static int turn_range_executable(size_t pages)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	size_t length = (pages + 1) * 4096;
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fd < 0 || memory == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < pages; i++)
		if (mmap(memory + i * 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
		    MAP_FAILED)
			return 1;
	memory[pages * 4096] = (char)0xc3;
	return mprotect(memory, length, PROT_READ | PROT_EXEC);
}

static int map_memory_file(void)
{
	int fd = memfd_create("library", MFD_CLOEXEC);

	return fd < 0 || ftruncate(fd, 4096) ||
	       mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0) == MAP_FAILED;
}

/* Runs what was written: a function that returns. */
static int run_written(char *write_at, void *run_at)
{
	void (*function)(void);

	memcpy(write_at, RETURN, sizeof(RETURN));
	__builtin___clear_cache(run_at, (char *)run_at + sizeof(RETURN));
	memcpy(&function, &run_at, sizeof(function));
	function();
	return 0;
}

/* Shared memory without a name that is only ever executable here, and only ever written there. */
static int run_by_view(void)
{
	char *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *view = code == MAP_FAILED ? code : mremap(code, 0, 4096, MREMAP_MAYMOVE);

	if (view == MAP_FAILED || mprotect(view, 4096, PROT_READ | PROT_WRITE))
		return 1;
	return run_written(view, code);
}

/* A file of a folder, to be written by one mapping and to be run by another. */
static int run_mapped_twice(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0700);
	char *view, *code;

	if (fd < 0 || ftruncate(fd, 4096))
		return 1;
	view = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (view == MAP_FAILED || code == MAP_FAILED)
		return 1;
	return run_written(view, code);
}

/* Writes to its own program, which nobody can write by its address. */
static int write_own(const char *name)
{
	static const char kept[] = "unwritten";
	char path[64], now[sizeof(kept)];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/mem", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	memcpy(now, kept, sizeof(now));
	return fd < 0 || pwrite(fd, now, sizeof(now), (off_t)(unsigned long)kept) != sizeof(now);
}

static int write_own_by_number(bool thread)
{
	char name[64];

	snprintf(name, sizeof(name), thread ? "self/task/%d" : "%d", getpid());
	return write_own(name);
}

/* As runtimes that compile do it, and then what they do not. */
static int map_both(void)
{
	int all = PROT_READ | PROT_WRITE | PROT_EXEC;

	return mmap(NULL, 4096, all, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ||
	       map_memory_file();
}

static int open_counter(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_SW_CPU_CLOCK,
	};

	return syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0) < 0;
}

/* Into the namespace that it is in. */
static int enter_namespace(void)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	return fd < 0 || setns(fd, CLONE_NEWUTS);
}

/* A program that returns 0, and hangs on nothing. */
static int load_program(void)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attributes = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insn_cnt = 2,
		.insns = (__u64)(unsigned long)code,
		.license = (__u64)(unsigned long)"GPL",
	};

	return syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes)) < 0;
}

/* No module: every kernel refuses it. Says with which error. */
static int load_module(void)
{
	if (!syscall(SYS_init_module, "", 0, ""))
		return 1;
	printf("%d\n", errno);
	return 0;
}

/* A child in namespaces of its own; no call but the one that makes it. */
static int clone_apart(void)
{
	pid_t child = syscall(SYS_clone, CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD, 0, 0, 0, 0);
	int status;

	if (!child)
		_exit(0);
	printf("%d\n", child);
	return child < 0 || waitpid(child, &status, 0) != child || status;
}

/* In a mount namespace of its own, with an empty folder in it. */
static int mount_apart(const char *folder)
{
	return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	       mount("none", folder, "tmpfs", 0, NULL);
}

static int change_root(const char *folder)
{
	return mount_apart(folder) || chdir(folder) || mkdir("old", 0700) ||
	       syscall(SYS_pivot_root, ".", "old");
}

/* What is mounted becomes read-only, without mount(2). */
static int mount_again(const char *folder)
{
	int fd = mount_apart(folder) ? -1 : fspick(AT_FDCWD, folder, 0);

	return fd < 0 || fsconfig(fd, FSCONFIG_SET_FLAG, "ro", NULL, 0) ||
	       fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
}

/* A mount that is nowhere in the tree, used by its descriptor. */
static int mount_nowhere(void)
{
	int fd = fsopen("tmpfs", 0), top;

	if (fd < 0 || fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return 1;
	top = fsmount(fd, 0, MOUNT_ATTR_NODEV);
	return top < 0 || mkdirat(top, "there", 0700);
}

static int copy_tree(const char *folder)
{
	int plain = open_tree(AT_FDCWD, folder, 0);

	return plain < 0 || open_tree(AT_FDCWD, folder, OPEN_TREE_CLONE) < 0;
}

#if defined(__x86_64__)
/* The oldest mmap of 32-bit programs: its arguments are in memory. */
static int map_by_int80(void)
{
	int *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	const int arguments[] = {
		0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0,
	};
	long result;

	if (low == MAP_FAILED)
		return 1;
	memcpy(low, arguments, sizeof(arguments));
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(90), "b"(low) : "memory");
	return result < 0 && result > -4096;
}
#else
static int map_by_int80(void)
{
	return 2;
}
#endif

int main(int count, char **arguments)
{
	pid_t pid = count == 3 ? atoi(arguments[1]) : 0;
	const char *how = count == 3 ? arguments[2] : "";

	if (!strcmp(how, "wait")) {
		puts("ready");
		fflush(stdout);
		pause();
		return 0;
	}
	if (!strcmp(how, "read"))
		return reach_memory(pid, false);
	if (!strcmp(how, "write"))
		return reach_memory(pid, true);
	if (!strcmp(how, "seize"))
		return ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0;
	if (!strcmp(how, "mem") || !strcmp(how, "environ") || !strcmp(how, "status"))
		return reach_file(pid, how);
	if (!strcmp(how, "descriptor"))
		return reach_descriptor(pid);
	if (!strcmp(how, "mprotect"))
		return turn_executable();
	if (!strcmp(how, "memfd"))
		return map_memory_file();
	if (!strcmp(how, "shared") || !strcmp(how, "filled"))
		return turn_shared_executable(!strcmp(how, "filled"));
	if (!strcmp(how, "front") || !strcmp(how, "behind"))
		return turn_range_executable(!strcmp(how, "front") ? 1 : 7);
	if (!strcmp(how, "setns"))
		return enter_namespace();
	if (!strcmp(how, "bpf"))
		return load_program();
	if (!strcmp(how, "module"))
		return load_module();
	if (!strcmp(how, "chroot"))
		return chroot(arguments[1]);
	if (!strcmp(how, "pivot"))
		return change_root(arguments[1]);
	if (!strcmp(how, "both"))
		return map_both();
	if (!strcmp(how, "view"))
		return run_by_view();
	if (!strcmp(how, "twice"))
		return run_mapped_twice(arguments[1]);
	if (!strcmp(how, "own"))
		return write_own(arguments[1]);
	if (!strcmp(how, "own-number") || !strcmp(how, "own-task"))
		return write_own_by_number(!strcmp(how, "own-task"));
	if (!strcmp(how, "clone"))
		return clone_apart();
	if (!strcmp(how, "remount"))
		return mount_again(arguments[1]);
	if (!strcmp(how, "detached"))
		return mount_nowhere();
	if (!strcmp(how, "tree"))
		return copy_tree(arguments[1]);
	if (!strcmp(how, "int80"))
		return map_by_int80();
	return strcmp(how, "perf") ? 2 : open_counter();
}

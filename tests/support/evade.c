// SPDX-License-Identifier: MIT
/*
 * Does an ordinary thing in a way that observers are known to miss. Prints the pid that did it.
 *
 *	evade uring PATH              opens by io_uring
 *	evade openat2 PATH            opens by openat2, no link followed
 *	evade empty PATH              empties a file that it opens for reading
 *	evade empty2 PATH             the same, by openat2
 *	evade make PATH               makes an empty file that it opens for reading
 *	evade three PATH              opens in access mode 3: a descriptor for ioctl alone
 *	evade reopen PATH             opens the path alone, then what its descriptor is
 *	evade handle PATH             opens by a handle, without a path
 *	evade int80 PATH              opens by a 32-bit system call
 *	evade untouched FILE          opens the path that stands in FILE, from a page not yet touched
 *	evade memfd PROGRAM WORD      runs a copy of PROGRAM that is in memory alone
 *	evade user UID PATH           opens the path as another user, who started nothing since
 *	evade exchange PATH OTHER     exchanges what the two paths name
 *	evade argv WORD PATH          writes WORD over its own arguments, then opens PATH
 *	evade chain DEPTH PROGRAM     runs PROGRAM at the end of a chain of forks
 *	evade thread PROGRAM WORD     runs PROGRAM from a thread that is not the first one
 *	evade vfork PROGRAM WORD      runs PROGRAM from a child that borrows its memory
 *	evade sibling PROGRAM WORD    runs PROGRAM from a child of its own parent
 *	evade samepid PROGRAM WORD    runs PROGRAM twice, the second time under the pid of the first
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

/* One request through a ring of its own; what came of it. */
static int by_ring(const struct io_uring_sqe *request)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 2, &params);
	unsigned char *submit, *complete;
	struct io_uring_sqe *entry;

	if (ring < 0)
		return -1;
	submit = mmap(NULL, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE,
		      MAP_SHARED, ring, IORING_OFF_SQ_RING);
	complete = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
			PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	entry = mmap(NULL, params.sq_entries * sizeof(*entry), PROT_READ | PROT_WRITE, MAP_SHARED,
		     ring, IORING_OFF_SQES);
	if (submit == MAP_FAILED || complete == MAP_FAILED || entry == MAP_FAILED)
		return -1;
	*entry = *request;
	*(unsigned *)(submit + params.sq_off.array) = 0;
	__atomic_store_n((unsigned *)(submit + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -1;
	return ((struct io_uring_cqe *)(complete + params.cq_off.cqes))->res;
}

static int open_by_ring(const char *path)
{
	const struct io_uring_sqe request = {
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (unsigned long)path,
		.open_flags = O_RDONLY,
	};

	return by_ring(&request) < 0 ? fail("io_uring") : 0;
}

static int open_strictly(const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)flags, .resolve = RESOLVE_NO_SYMLINKS };

	return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)) < 0 ? fail("openat2") : 0;
}

static int open_plainly(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC, 0600) < 0 ? fail(path) : 0;
}

static int open_again(const char *path)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", open(path, O_PATH | O_CLOEXEC));
	return open(name, O_RDONLY | O_CLOEXEC) < 0 ? fail(name) : 0;
}

static int open_by_handle(const char *path)
{
	union {
		struct file_handle file;
		char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} handle = { .file.handle_bytes = MAX_HANDLE_SZ };
	char folder[4096];
	int mount, near;

	snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = 0;
	near = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (near < 0 || name_to_handle_at(AT_FDCWD, path, &handle.file, &mount, 0))
		return fail("name_to_handle_at");
	return open_by_handle_at(near, &handle.file, O_RDONLY) < 0 ? fail("open_by_handle_at") : 0;
}

#if defined(__x86_64__)
static int open_by_int80(const char *path)
{
	char *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long result;

	if (low == MAP_FAILED)
		return fail("mmap");
	snprintf(low, 8192, "%s", path);
	/* Call 5 of the 32-bit table. */
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(5), "b"(low), "c"(0), "d"(0) : "memory");
	return result < 0 ? fail("int 0x80") : 0;
}
#else
static int open_by_int80(const char *path)
{
	(void)path;
	return 2;
}
#endif

static int open_untouched(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	if (fd < 0 || page == MAP_FAILED)
		return fail(file);
	return syscall(SYS_openat, AT_FDCWD, page, O_RDONLY, 0) < 0 ? fail("openat") : 0;
}

static int run_from_memory(const char *program, char *word)
{
	char *arguments[] = { word, word, NULL };
	int from = open(program, O_RDONLY | O_CLOEXEC);
	int to = memfd_create("quiet", MFD_CLOEXEC);
	struct stat about;

	if (from < 0 || to < 0 || fstat(from, &about))
		return fail(program);
	for (off_t left = about.st_size; left > 0;) {
		char part[65536];
		ssize_t length = read(from, part, sizeof(part));

		if (length <= 0 || write(to, part, length) != length)
			return fail("copy");
		left -= length;
	}
	syscall(SYS_execveat, to, "", arguments, environ, AT_EMPTY_PATH);
	return fail("execveat");
}

static int rewrite_arguments(int count, char **arguments, const char *word, const char *path)
{
	char *start = arguments[0], *end = arguments[count - 1] + strlen(arguments[count - 1]);
	char kept[4096], shown[256] = "";
	int fd;

	snprintf(kept, sizeof(kept), "%s", path);
	word = strdup(word);
	memset(start, 0, end - start);
	snprintf(start, end - start, "%s", word);
	fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, shown, sizeof(shown) - 1) < 0 || strcmp(shown, word))
		return fail("arguments");
	return open(kept, O_RDONLY | O_CLOEXEC) < 0 ? fail(kept) : 0;
}

static int run_down(int depth, const char *program)
{
	char mark[32];
	int status = 0;

	/* Bounded by depth; each parent waits for its child. */
	for (int i = 0; i < depth; i++) {
		pid_t child = fork();

		if (child < 0)
			return fail("fork");
		if (child) {
			waitpid(child, &status, 0);
			return WEXITSTATUS(status);
		}
	}
	snprintf(mark, sizeof(mark), "depth%d", depth);
	execl(program, program, mark, NULL);
	return fail(program);
}

/* The error that a child of this one gets after it became another user, 0 = none. */
static int open_as(uid_t user, const char *path)
{
	pid_t child = fork();
	int status = 0;

	if (!child)
		_exit(setresuid(user, user, user) || open(path, O_RDONLY) >= 0 ? 0 : errno);
	waitpid(child, &status, 0);
	printf("%d\n", WEXITSTATUS(status));
	return 0;
}

static char **run_arguments;

static void *run_in_thread(void *unused)
{
	(void)unused;
	execv(run_arguments[0], run_arguments);
	return NULL;
}

static int run_from_thread(char **arguments)
{
	pthread_t thread;

	run_arguments = arguments;
	if (pthread_create(&thread, NULL, run_in_thread, NULL))
		return fail("thread");
	pthread_join(thread, NULL);
	return fail(arguments[0]);
}

static int run_by_vfork(char **arguments)
{
	pid_t child = vfork();
	int status = 1;

	if (!child) {
		execv(arguments[0], arguments);
		_exit(127);
	}
	waitpid(child, &status, 0);
	printf("%d\n", child);
	return WEXITSTATUS(status);
}

/* A child under a chosen pid; 0 = any. Its pid, or -1. */
static pid_t run_as(pid_t wanted, char **arguments)
{
	struct clone_args options = {
		.exit_signal = SIGCHLD,
		.set_tid = wanted ? (unsigned long)&wanted : 0,
		.set_tid_size = wanted ? 1 : 0,
	};
	pid_t child = syscall(SYS_clone3, &options, sizeof(options));
	int status;

	if (!child) {
		execv(arguments[0], arguments);
		_exit(127);
	}
	return child < 0 || waitpid(child, &status, 0) != child || status ? -1 : child;
}

static int run_beside(char **arguments)
{
	/* No signal to the parent, which did not ask for it. */
	struct clone_args options = { .flags = CLONE_PARENT };
	pid_t child = syscall(SYS_clone3, &options, sizeof(options));

	if (child < 0)
		return fail("clone3");
	if (child)
		return 0;
	execv(arguments[0], arguments);
	_exit(127);
}

static int run_twice(char **arguments)
{
	pid_t first = run_as(0, arguments);

	if (first < 0 || run_as(first, arguments) != first)
		return fail("clone3");
	printf("%d\n", first);
	return 0;
}

int main(int count, char **arguments)
{
	const char *how = count > 2 ? arguments[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(how, "vfork") && strcmp(how, "samepid"))
		printf("%d\n", getpid());
	if (!strcmp(how, "uring"))
		return open_by_ring(arguments[2]);
	if (!strcmp(how, "openat2"))
		return open_strictly(arguments[2], O_RDONLY);
	if (!strcmp(how, "empty2"))
		return open_strictly(arguments[2], O_RDONLY | O_TRUNC);
	if (!strcmp(how, "empty"))
		return open_plainly(arguments[2], O_RDONLY | O_TRUNC);
	if (!strcmp(how, "make"))
		return open_plainly(arguments[2], O_RDONLY | O_CREAT);
	if (!strcmp(how, "three"))
		return open_plainly(arguments[2], O_ACCMODE);
	if (!strcmp(how, "reopen"))
		return open_again(arguments[2]);
	if (!strcmp(how, "handle"))
		return open_by_handle(arguments[2]);
	if (!strcmp(how, "int80"))
		return open_by_int80(arguments[2]);
	if (!strcmp(how, "untouched"))
		return open_untouched(arguments[2]);
	if (count < 4)
		return 2;
	if (!strcmp(how, "memfd"))
		return run_from_memory(arguments[2], arguments[3]);
	if (!strcmp(how, "user"))
		return open_as(atoi(arguments[2]), arguments[3]);
	if (!strcmp(how, "exchange"))
		return renameat2(AT_FDCWD, arguments[2], AT_FDCWD, arguments[3], RENAME_EXCHANGE);
	if (!strcmp(how, "argv"))
		return rewrite_arguments(count, arguments, arguments[2], arguments[3]);
	if (!strcmp(how, "chain"))
		return run_down(atoi(arguments[2]), arguments[3]);
	if (!strcmp(how, "thread"))
		return run_from_thread(arguments + 2);
	if (!strcmp(how, "vfork"))
		return run_by_vfork(arguments + 2);
	if (!strcmp(how, "sibling"))
		return run_beside(arguments + 2);
	if (!strcmp(how, "samepid"))
		return run_twice(arguments + 2);
	return 2;
}

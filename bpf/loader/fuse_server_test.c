// SPDX-License-Identifier: MIT
/* A file system in user space by the kernel's own protocol (linux/fuse.h): three files in a root. */
#include "fuse_server_test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness_test.h"

/* What the kernel sends at once, and may read at once. */
#define REQUEST_BYTES (256u << 10)
#define READ_BYTES_MAX (128u << 10)

enum node { ROOT = FUSE_ROOT_ID, RUNS, WATCHED, LONG };

static struct {
	int device;
	char long_name[FUSE_LONG_NAME_BYTES + 1];
	uint8_t *program;
	uint64_t program_bytes;
	_Atomic int *mute; /* memory of the test, too */
} server;

static void answer(const struct fuse_in_header *request, int error, const void *data, size_t length)
{
	struct fuse_out_header header = { .error = error, .unique = request->unique,
					  .len = (uint32_t)(sizeof(header) + length) };
	const struct iovec parts[] = { { &header, sizeof(header) }, { (void *)data, length } };

	/* ENOENT: who asked was interrupted. */
	if (writev(server.device, parts, length ? 2 : 1) < 0 && errno != ENOENT)
		_exit(1);
}

static struct fuse_attr attributes_of(uint64_t node)
{
	struct fuse_attr attributes = { .ino = node, .nlink = 1, .mode = S_IFREG | 0755,
					.blksize = 4096 };

	if (node == ROOT)
		attributes.mode = S_IFDIR | 0755;
	attributes.size = node == RUNS ? server.program_bytes : 1;
	return attributes;
}

/* Nothing that is said of a file holds for long: each look at it asks again. */
static void answer_lookup(const struct fuse_in_header *request, const char *name)
{
	struct fuse_entry_out entry = { 0 };

	if (!strcmp(name, "runs"))
		entry.nodeid = RUNS;
	else if (!strcmp(name, "watched"))
		entry.nodeid = WATCHED;
	else if (!strcmp(name, server.long_name))
		entry.nodeid = LONG;
	entry.attr = attributes_of(entry.nodeid);
	if (entry.nodeid)
		answer(request, 0, &entry, sizeof(entry));
	else
		answer(request, -ENOENT, NULL, 0);
}

static void answer_read(const struct fuse_in_header *request, const struct fuse_read_in *wanted)
{
	uint64_t size = request->nodeid == RUNS ? server.program_bytes : 1;
	const uint8_t *bytes = request->nodeid == RUNS ? server.program : (const uint8_t *)"x";
	uint64_t left = wanted->offset < size ? size - wanted->offset : 0;

	answer(request, 0, bytes + wanted->offset, left < wanted->size ? left : wanted->size);
}

static void answer_one(const struct fuse_in_header *request)
{
	const struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = 31,
					    .max_write = READ_BYTES_MAX };
	const struct fuse_attr_out about = { .attr = attributes_of(request->nodeid) };
	const struct fuse_open_out opened = { .fh = request->nodeid };
	const struct fuse_statfs_out system = { .st = { .bsize = 4096, .namelen = 1024 } };
	const void *body = request + 1;

	switch (request->opcode) {
	case FUSE_INIT:
		return answer(request, 0, &init, sizeof(init));
	case FUSE_LOOKUP:
		return answer_lookup(request, body);
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		return answer(request, 0, &about, sizeof(about));
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		return answer(request, 0, &opened, sizeof(opened));
	case FUSE_READ:
		return answer_read(request, body);
	case FUSE_STATFS:
		return answer(request, 0, &system, sizeof(system));
	case FUSE_READDIR:
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_ACCESS:
		return answer(request, 0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		return answer(request, -ENOSYS, NULL, 0);
	}
}

static void read_program(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat about;

	must(fd >= 0 && !fstat(fd, &about), "%s: %s", path, strerror(errno));
	server.program_bytes = (uint64_t)about.st_size;
	server.program = malloc(server.program_bytes);
	must(read(fd, server.program, server.program_bytes) == about.st_size, "%s", path);
	close(fd);
}

static void serve(void)
{
	static _Alignas(8) uint8_t request[REQUEST_BYTES];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (read(server.device, request, sizeof(request)) > 0) {
			/* What was taken and is never answered keeps who asked, whatever kills him. */
			if (!*server.mute)
				answer_one((const void *)request);
		}
		else if (errno != EINTR && errno != EAGAIN && errno != ENOENT)
			_exit(0);
	}
}

void fuse_long_name(char name[FUSE_LONG_NAME_BYTES + 1])
{
	memset(name, 'x', FUSE_LONG_NAME_BYTES);
	memcpy(name, "python3", strlen("python3"));
	name[FUSE_LONG_NAME_BYTES] = 0;
}

pid_t fuse_start(const char *folder, const char *program, const char *more)
{
	char options[128];
	pid_t pid;

	/* Mounts of this process alone: nobody else's sensor meets what does not answer. */
	must(!unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL),
	     "a mount namespace: %s", strerror(errno));
	server.device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (server.device < 0)
		skip("no /dev/fuse");
	read_program(program);
	fuse_long_name(server.long_name);
	must(!mkdir(folder, 0700), "%s: %s", folder, strerror(errno));
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other%s", server.device, more);
	must(!mount("immune", folder, "fuse.immune", 0, options), "mount: %s", strerror(errno));
	server.mute = mmap(NULL, sizeof(*server.mute), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(server.mute != MAP_FAILED, "memory: %s", strerror(errno));
	pid = fork();
	must(pid >= 0, "fork: %s", strerror(errno));
	if (!pid)
		serve();
	/* The other end is the server's alone: when it ends, whoever waits gets an error. */
	close(server.device);
	return pid;
}

_Atomic int *fuse_mute(void)
{
	return server.mute;
}

void fuse_end(pid_t pid, const char *folder)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	umount2(folder, MNT_DETACH);
	rmdir(folder);
}

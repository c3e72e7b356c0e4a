// SPDX-License-Identifier: MIT
/* What the fields of a record say, against what really was done. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor_test.h"

#define EVERY_KIND (~0ull)
#define OTHER_ID 65534
#define DEEP_COMPONENTS 300
#define SHALLOW_COMPONENTS 200

/* The last record that fits, kept whole. */
struct wanted {
	uint32_t pid;
	uint16_t kind;
	const char *holds; /* bytes that the record has somewhere, or null */
	int count;
	bool done;
	union {
		struct immune_record_header header;
		uint8_t bytes[IMMUNE_RECORD_BYTES_MAX];
	} found;
};

static void want_record(const struct immune_record_header *record, void *state)
{
	struct wanted *wanted = state;

	if (record->kind != wanted->kind || (wanted->pid && record->pid != wanted->pid))
		return;
	if (wanted->holds && !memmem(record, record->length, wanted->holds, strlen(wanted->holds)))
		return;
	wanted->count++;
	wanted->done = true;
	memcpy(wanted->found.bytes, record, record->length);
}

/* Waits for the record; fails when it does not come. */
static const struct immune_record_header *await(struct immune_sensor *sensor, struct wanted *wanted,
						uint16_t kind, uint32_t pid, const char *holds)
{
	wanted->kind = kind;
	wanted->pid = pid;
	wanted->holds = holds;
	wanted->count = 0;
	wanted->done = false;
	poll_until(sensor, want_record, wanted, &wanted->done);
	must(wanted->done, "no record of kind %u, pid %u", kind, pid);
	return &wanted->found.header;
}

/* A script: image is the interpreter, file_name its own path, argv exact, device and inode too. */
void test_exec(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	static struct wanted wanted;
	char script[] = "/tmp/immune-test-XXXXXX", image[4096];
	char *arguments[] = { "named", "a b", "", NULL };
	const struct immune_record_header *record;
	const struct immune_exec_body *body;
	char argv[256];
	struct stat file;
	uint32_t length;
	int fd = mkstemp(script);
	pid_t pid;

	must(write(fd, "#!/bin/sh\n", 10) == 10 && !fchmod(fd, 0755) && !close(fd), "no script");
	must(realpath("/bin/sh", image) && !stat(image, &file), "no shell");
	pid = run_and_wait(script, arguments);
	record = await(sensor, &wanted, IMMUNE_KIND_EXEC, (uint32_t)pid, NULL);
	unlink(script);
	must(slot_is(record, IMMUNE_EXEC_SLOT_IMAGE, image), "image is not %s", image);
	must(slot_is(record, IMMUNE_EXEC_SLOT_FILE_NAME, script), "file name is not %s", script);
	must(slot_is(record, IMMUNE_EXEC_SLOT_CWD, getcwd(argv, sizeof(argv))), "cwd is not %s",
	     argv);
	/* An interpreter gets its own name, the script, and what follows the first argument. */
	snprintf(argv, sizeof(argv), "/bin/sh%c%s%ca b%c", 0, script, 0, 0);
	length = (uint32_t)(strlen("/bin/sh") + 1 + strlen(script) + 1 + strlen("a b") + 1 + 1);
	{
		uint32_t got;
		const uint8_t *bytes = slot_of(record, IMMUNE_EXEC_SLOT_ARGV, &got);

		must(got == length && !memcmp(bytes, argv, length - 1), "argv of %u bytes", got);
	}
	body = body_of(record);
	must(body->inode == file.st_ino, "inode %llu", (unsigned long long)body->inode);
	must(body->device == (major(file.st_dev) << 20 | minor(file.st_dev)), "device %x",
	     body->device);
	must(record->uid == geteuid() && body->parent_uid == geteuid(), "ids");
	must(record->parent_pid == (uint32_t)getpid() && !record->flags, "flags %x", record->flags);
	immune_sensor_close(sensor);
}

static void run_memory_file(void *unused)
{
	char *arguments[] = { "hidden", NULL }, *environment[] = { NULL };
	int from = open("/bin/true", O_RDONLY | O_CLOEXEC);
	int to = (int)syscall(SYS_memfd_create, "ghost", 0);
	char block[65536];
	ssize_t got;

	(void)unused;
	while ((got = read(from, block, sizeof(block))) > 0)
		if (write(to, block, (size_t)got) != got)
			_exit(1);
	fexecve(to, arguments, environment);
	_exit(1);
}

struct depth {
	int components;
	char last[16];
};

/* Opens a file that many directories below /tmp, reached step by step. */
static void open_deep(void *argument)
{
	const struct depth *depth = argument;
	char root[] = "/tmp/immune-deep-XXXXXX";
	int fd;

	if (!mkdtemp(root) || chdir(root))
		_exit(1);
	for (int i = 0; i < depth->components; i++)
		if (mkdir("d", 0700) || chdir("d"))
			_exit(1);
	fd = open(depth->last, O_CREAT | O_WRONLY, 0600);
	close(fd);
	unlink(depth->last);
	for (int i = 0; i < depth->components; i++)
		if (chdir("..") || rmdir("d"))
			_exit(1);
	_exit(fd < 0 || rmdir(root));
}

static const struct immune_record_header *deep(struct immune_sensor *sensor, struct wanted *wanted,
					       int components, const char *last)
{
	struct depth depth = { .components = components };
	int status;
	pid_t pid;

	strcpy(depth.last, last);
	pid = child_of(open_deep, &depth, &status);
	must(!status, "deep directories: status %x", status);
	return await(sensor, wanted, IMMUNE_KIND_OPEN, (uint32_t)pid, last);
}

/* A memory file is flagged; a deep path is whole up to the bound, cut and flagged beyond it. */
void test_paths(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	const uint32_t cut = IMMUNE_FLAG_TRUNCATED | IMMUNE_FLAG_UNRESOLVED;
	static struct wanted wanted;
	const struct immune_record_header *record;
	const uint8_t *path;
	uint32_t length;
	int status;
	pid_t pid = child_of(run_memory_file, NULL, &status);

	must(!status, "memory file: status %x", status);
	record = await(sensor, &wanted, IMMUNE_KIND_EXEC, (uint32_t)pid, NULL);
	must(slot_is(record, IMMUNE_EXEC_SLOT_IMAGE, "/memfd:ghost"), "image of a memory file");
	must(record->flags & IMMUNE_FLAG_DELETED, "flags %x", record->flags);
	policy_set(sensor, IMMUNE_POLICY_WIDE_OPEN, EVERY_KIND);
	record = deep(sensor, &wanted, SHALLOW_COMPONENTS, "shallow-end");
	path = slot_of(record, IMMUNE_OPEN_SLOT_PATH, &length);
	must(!(record->flags & cut), "flags %x", record->flags);
	must(!memcmp(path, "/tmp/immune-deep-", 17) &&
	     length == strlen("/tmp/immune-deep-XXXXXX") + 2 * SHALLOW_COMPONENTS + 12,
	     "path of %u bytes", length);
	record = deep(sensor, &wanted, DEEP_COMPONENTS, "deep-end");
	path = slot_of(record, IMMUNE_OPEN_SLOT_PATH, &length);
	must((record->flags & cut) == cut, "flags %x", record->flags);
	must(!memcmp(path + length - 11, "/d/deep-end", 11), "end of a cut path");
	immune_sensor_close(sensor);
}

static void *wait_forever(void *unused)
{
	(void)unused;
	pause();
	return NULL;
}

static void exit_with_threads(void *unused)
{
	pthread_t thread;

	(void)unused;
	for (int i = 0; i < 8; i++)
		pthread_create(&thread, NULL, wait_forever, NULL);
	_exit(7);
}

static void die(void *unused)
{
	(void)unused;
	raise(SIGKILL);
}

/* One fork and one exit a process, however many threads; code and signal as wait(2) has them. */
void test_exits(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	static struct wanted wanted;
	const struct immune_exit_body *body;
	int status;
	pid_t pid = child_of(exit_with_threads, NULL, &status);

	body = body_of(await(sensor, &wanted, IMMUNE_KIND_EXIT, (uint32_t)pid, NULL));
	must(body->exit_code == 7 && !body->signal, "code %u, signal %u", body->exit_code,
	     body->signal);
	pid = child_of(die, NULL, &status);
	body = body_of(await(sensor, &wanted, IMMUNE_KIND_EXIT, (uint32_t)pid, NULL));
	must(body->signal == SIGKILL, "code %u, signal %u", body->exit_code, body->signal);
	pid = child_of(exit_with_threads, NULL, &status);
	await(sensor, &wanted, IMMUNE_KIND_EXIT, (uint32_t)pid, NULL);
	poll_out(sensor, want_record, &wanted);
	must(wanted.count == 1, "%d exits", wanted.count);
	immune_sensor_close(sensor);
}

static void change_ids(void *unused)
{
	(void)unused;
	syscall(SYS_setresgid, -1, -1, -1); /* changes nothing: no record */
	syscall(SYS_setresuid, OTHER_ID, OTHER_ID, 0);
}

/* Only a real change is told, with what was before; and only while the policy asks for it. */
void test_identity(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	static struct wanted wanted = { .kind = IMMUNE_KIND_IDENTITY };
	const struct immune_record_header *record;
	const struct immune_identity_body *body;
	int status;
	pid_t pid;

	wanted.pid = (uint32_t)child_of(change_ids, NULL, &status);
	poll_out(sensor, want_record, &wanted);
	must(!wanted.count, "a record that no policy asked for");
	policy_set(sensor, IMMUNE_POLICY_IDENTITY, EVERY_KIND);
	pid = child_of(change_ids, NULL, &status);
	record = await(sensor, &wanted, IMMUNE_KIND_IDENTITY, (uint32_t)pid, NULL);
	body = body_of(record);
	must(record->uid == OTHER_ID && body->real_uid == OTHER_ID && body->saved_uid == 0 &&
	     body->old_uid == 0, "uid %u, real %u, saved %u, old %u", record->uid, body->real_uid,
	     body->saved_uid, body->old_uid);
	must(body->system_call == SYS_setresuid, "call %u", body->system_call);
	poll_out(sensor, want_record, &wanted);
	must(wanted.count == 1, "%d records", wanted.count);
	policy_set(sensor, 0, EVERY_KIND);
	wanted.count = 0;
	wanted.pid = (uint32_t)child_of(change_ids, NULL, &status);
	poll_out(sensor, want_record, &wanted);
	must(!wanted.count, "a record after the policy was taken back");
	immune_sensor_close(sensor);
}

/* An IPv4-mapped address is what it means, flagged; an IPv6 one stays; ports in host order. */
void test_sockets(void)
{
	struct immune_sensor *sensor = sensor_with(0, 0);
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(40009) };
	const uint8_t loopback[16] = { 127, 0, 0, 1 };
	static struct wanted wanted;
	const struct immune_record_header *record;
	const struct immune_connect_body *body;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
	must(!connect(fd, (struct sockaddr *)&to, sizeof(to)), "cannot connect: %s",
	     strerror(errno));
	record = await(sensor, &wanted, IMMUNE_KIND_CONNECT, (uint32_t)getpid(), NULL);
	body = body_of(record);
	must(record->flags & IMMUNE_FLAG_MAPPED, "flags %x", record->flags);
	must(body->family == AF_INET && body->port == 40009 && body->protocol == IPPROTO_UDP &&
	     body->socket_type == SOCK_DGRAM && !memcmp(body->address, loopback, 16),
	     "family %u, port %u, protocol %u", body->family, body->port, body->protocol);
	close(fd);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	to.sin6_addr = in6addr_loopback;
	to.sin6_port = 0;
	must(!bind(fd, (struct sockaddr *)&to, sizeof(to)), "cannot bind: %s", strerror(errno));
	record = await(sensor, &wanted, IMMUNE_KIND_BIND, (uint32_t)getpid(), NULL);
	body = body_of(record);
	must(!record->flags && body->family == AF_INET6 && body->protocol == IPPROTO_TCP &&
	     !memcmp(body->address, &in6addr_loopback, 16), "family %u", body->family);
	close(fd);
	immune_sensor_close(sensor);
}

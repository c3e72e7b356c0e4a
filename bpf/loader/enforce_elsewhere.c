// SPDX-License-Identifier: MIT
#include "enforce_elsewhere.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "mount_line.h"
#include "served.h"

/* Processes that are asked where they live, the oldest numbers first. */
#define PROCESSES_MAX 65536
/* Namespaces, each as one root of it sees it, that are looked into; lines of mountinfo of all. */
#define NAMESPACES_MAX 1024
#define LINES_MAX 65536
/* What lies under another mount, of the file systems that are reached nowhere else. */
#define HIDDEN_MAX 64

/* What the kernel knows by itself, of what a path leads to. */
#define UNASKED (AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC)

struct hidden {
	uint64_t device;
	char path[256];
};

struct look {
	const struct elsewhere *all;
	uint64_t own; /* mount namespace of this process */
	struct number_set *views; /* namespaces with roots, looked into */
	struct number_set *others; /* file systems that are done with, and not marked */
	uint32_t lines;
	struct hidden hidden[HIDDEN_MAX];
	uint32_t hidden_count;
};

/* Kinds of which no program can be run, or that make another mount when they are looked into. */
static bool is_for_programs(const char *type)
{
	static const char *const others[] = {
		"autofs", "bpf", "cgroup", "cgroup2", "debugfs", "devpts", "efivarfs", "fusectl",
		"mqueue", "nsfs", "proc", "pstore", "rootfs", "securityfs", "sysfs", "tracefs",
		"binfmt_misc", "configfs",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(type, others[i]))
			return false;
	return true;
}

/* Goes to a mount point from a root, with no step into what a program serves. An fd or -errno. */
static int reach(const struct look *look, int root, char *point)
{
	int at = fcntl(root, F_DUPFD_CLOEXEC, 0), next;
	char *component, *rest = point;

	if (at < 0)
		return -errno;
	while ((component = strsep(&rest, "/"))) {
		if (!*component)
			continue;
		next = -EOPNOTSUPP;
		if (!served_file(look->all->served, at)) {
			next = openat(at, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
			next = next < 0 ? -errno : next;
		}
		close(at);
		if (next < 0)
			return next;
		at = next;
	}
	if (!served_file(look->all->served, at))
		return at;
	close(at);
	return -EOPNOTSUPP;
}

/* 0, or why what a line is of is not marked by it. */
static int mark_line(const struct look *look, int root, const struct mount_line *mount)
{
	const struct elsewhere *all = look->all;
	struct statx about = { 0 };
	char point[PATH_MAX], path[64];
	int fd, error = 0;

	snprintf(point, sizeof(point), "%s", mount->point);
	fd = reach(look, root, point);
	if (fd < 0)
		return fd;
	/* Another one lies there, over it or meanwhile. Linux before 5.8 does not say. */
	if (statx(fd, "", AT_EMPTY_PATH | UNASKED, STATX_MNT_ID, &about) ||
	    (about.stx_mask & STATX_MNT_ID && about.stx_mnt_id != mount->id)) {
		error = -EBUSY;
	} else {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (fanotify_mark(all->group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, all->mask,
				  AT_FDCWD, path))
			error = -errno;
	}
	close(fd);
	return error;
}

static void hide(struct look *look, const struct mount_line *mount)
{
	struct hidden *hidden = &look->hidden[look->hidden_count];

	if (look->hidden_count == HIDDEN_MAX) {
		enforce_left_add(look->all->left, IMMUNE_LEFT_MOUNT, 1, mount->point,
				 "something is mounted over it");
		return;
	}
	hidden->device = mount->device;
	snprintf(hidden->path, sizeof(hidden->path), "%.255s", mount->point);
	look->hidden_count++;
}

static void take_line(struct look *look, int root, const struct mount_line *mount)
{
	const struct elsewhere *all = look->all;
	uint64_t device = mount->device + 1;
	int error;

	if (number_set_has(all->devices, device) || number_set_has(look->others, device) ||
	    !is_for_programs(mount->type))
		return;
	if (number_set_full(all->devices)) {
		number_set_add(look->others, device);
		enforce_left_add(all->left, IMMUNE_LEFT_MOUNT, 1, mount->point, NO_ROOM_REASON);
		return;
	}
	error = mark_line(look, root, mount);
	if (!error) {
		number_set_add(all->devices, device);
		return;
	}
	if (error == -EBUSY && !number_set_has(all->own, device))
		return hide(look, mount);
	/* Below another one, gone, or outside of this root: it may be reached elsewhere. */
	if (error == -EBUSY || error == -ENOENT || error == -ENOTDIR)
		return;
	number_set_add(look->others, device);
	if (number_set_has(all->own, device))
		return;
	if (error == -EOPNOTSUPP)
		enforce_left_add(all->left, IMMUNE_LEFT_SERVED, 1, mount->point,
				 "a program serves its file system (FUSE)");
	/* Of a kind that fanotify takes no marks of: no place to run programs from. */
	else if (error != -EINVAL)
		enforce_left_add(all->left, IMMUNE_LEFT_MOUNT, 1, mount->point, strerror(-error));
}

/* Looks into the namespace of a process; false when it is gone. */
static bool view(struct look *look, int process)
{
	int fd = openat(process, "mountinfo", O_RDONLY | O_CLOEXEC);
	int root = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	FILE *mounts = fd < 0 || root < 0 ? NULL : fdopen(fd, "r");
	size_t capacity = 0;
	char *line = NULL;

	while (mounts && getline(&line, &capacity, mounts) > 0) {
		struct mount_line mount;

		if (!mount_line_parse(line, &mount))
			continue;
		if (++look->lines <= LINES_MAX)
			take_line(look, root, &mount);
		else if (!number_set_has(look->all->devices, mount.device + 1) &&
			 is_for_programs(mount.type))
			enforce_left_add(look->all->left, IMMUNE_LEFT_MOUNT, 1, mount.point,
					 "too much is mounted in all namespaces");
	}
	free(line);
	if (mounts)
		fclose(mounts);
	else if (fd >= 0)
		close(fd);
	if (root >= 0)
		close(root);
	return mounts;
}

static void take_process(struct look *look, int proc, const char *number)
{
	int process = openat(proc, number, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statx root = { 0 };
	struct stat space;
	uint64_t seen;

	/* It may have ended; of one that ends nothing is left to be seen. */
	if (process < 0)
		return;
	if (fstatat(process, "ns/mnt", &space, 0) || space.st_ino == look->own ||
	    statx(process, "root", UNASKED, STATX_INO, &root))
		goto out;
	seen = number_mix(number_mix(space.st_ino, root.stx_ino),
			  (uint64_t)root.stx_dev_major << 32 | root.stx_dev_minor);
	if (number_set_has(look->views, seen))
		goto out;
	if (look->views->count >= NAMESPACES_MAX) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%.16s", number);
		enforce_left_add(look->all->left, IMMUNE_LEFT_NAMESPACE, 1, path,
				 "too many are in use");
		number_set_add(look->views, seen);
	} else if (view(look, process)) {
		number_set_add(look->views, seen);
	}
out:
	close(process);
}

/* What is reached in one namespace counts for all. */
static void tell_hidden(const struct look *look)
{
	const struct elsewhere *all = look->all;

	for (uint32_t i = 0; i < look->hidden_count; i++)
		if (!number_set_has(all->devices, look->hidden[i].device + 1))
			enforce_left_add(all->left, IMMUNE_LEFT_MOUNT, 1, look->hidden[i].path,
					 "something is mounted over it");
}

static int processes_read(struct look *look)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	uint32_t count = 0;

	if (!proc)
		return -errno;
	while ((entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (++count > PROCESSES_MAX) {
			enforce_left_add(look->all->left, IMMUNE_LEFT_NAMESPACE, 1, "/proc",
					 "too many processes run");
			break;
		}
		take_process(look, dirfd(proc), entry->d_name);
	}
	closedir(proc);
	return 0;
}

int enforce_mark_elsewhere(const struct elsewhere *all)
{
	struct look *look = calloc(1, sizeof(*look));
	struct number_set *views = calloc(1, sizeof(*views));
	struct number_set *others = calloc(1, sizeof(*others));
	struct stat own;
	int error = look && views && others ? 0 : -ENOMEM;

	if (!error && stat("/proc/self/ns/mnt", &own))
		error = -errno;
	if (!error) {
		look->all = all;
		look->own = own.st_ino;
		look->views = views;
		look->others = others;
		error = processes_read(look);
	}
	if (!error)
		tell_hidden(look);
	free(others);
	free(views);
	free(look);
	return error;
}

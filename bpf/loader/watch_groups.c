// SPDX-License-Identifier: MIT
/* The fanotify groups of a watch set: of opens, or of changes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "internal.h"
#include "watch_mark.h"

/* Older kernels do not know the flag that has them name the file itself. */
static int open_names(struct watch_groups *groups)
{
	unsigned int flags = FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_MARKS;

	groups->names = fanotify_init(flags | FAN_REPORT_DFID_NAME_TARGET, O_RDONLY | O_CLOEXEC);
	groups->targets = groups->names >= 0;
	if (groups->names < 0 && errno == EINVAL)
		groups->names = fanotify_init(flags | FAN_REPORT_DFID_NAME, O_RDONLY | O_CLOEXEC);
	return groups->names < 0 ? -1 : 0;
}

static int fail_groups(struct watch_groups *groups)
{
	int error = -errno;

	immune_fail("Cannot watch files by fanotify: %s; it needs CAP_SYS_ADMIN and Linux 5.9",
		    strerror(-error));
	watch_groups_close(groups);
	return error;
}

int watch_groups_open(struct watch_groups *groups)
{

	groups->names = -1;
	groups->on_file = FAN_OPEN_PERM;
	groups->on_directory = FAN_OPEN_PERM | FAN_EVENT_ON_CHILD;
	groups->files = fanotify_init(
		FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_TID |
			FAN_UNLIMITED_MARKS,
		O_RDONLY | O_CLOEXEC | O_LARGEFILE);
	return groups->files < 0 || open_names(groups) ? fail_groups(groups) : 0;
}

int watch_groups_open_changes(struct watch_groups *groups)
{
	unsigned int flags = FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_MARKS;

	groups->names = -1;
	groups->files = fanotify_init(flags | FAN_REPORT_DFID_NAME_TARGET, O_RDONLY | O_CLOEXEC);
	if (groups->files < 0 && errno == EINVAL)
		groups->files = fanotify_init(flags | FAN_REPORT_DFID_NAME, O_RDONLY | O_CLOEXEC);
	if (groups->files < 0 || open_names(groups))
		return fail_groups(groups);
	groups->on_file = FAN_ATTRIB | FAN_CLOSE_WRITE;
	groups->on_directory = groups->on_file | FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_ONDIR |
			       FAN_EVENT_ON_CHILD;
	/* Linux 5.17 has both ends of a rename in one event. */
	if (fanotify_mark(groups->files, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_RENAME, AT_FDCWD,
			  "/"))
		groups->on_directory ^= FAN_RENAME | FAN_MOVED_FROM | FAN_MOVED_TO;
	fanotify_mark(groups->files, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
	return 0;
}

void watch_groups_close(struct watch_groups *groups)
{
	if (groups->files >= 0)
		close(groups->files);
	if (groups->names >= 0)
		close(groups->names);
	groups->files = -1;
	groups->names = -1;
}

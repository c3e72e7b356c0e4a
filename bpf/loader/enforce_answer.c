// SPDX-License-Identifier: MIT
/*
 * The same conjunction as bpf/lib/judge.h, over the same tables: what a policy means is written down
 * once, as rows. How a file is opened is not told by fanotify, so an open counts as one for reading.
 */
#include "enforce_answer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sensor.h"
#include "file_ask.h"
#include "file_hash.h"
#include "file_identity.h"
#include "file_tick.h"
#include "served.h"
#include "watch_record.h"
#include "watch_who.h"

#include "enforce.skel.h"

#define NS_PER_S 1000000000ull
#define NS_PER_MINUTE (60 * NS_PER_S)

int judge_begin(struct enforce_judge *judge, uint32_t generation)
{
	uint32_t slot = generation & 1;

	judge->generation = generation;
	return bpf_map_lookup_elem(bpf_map__fd(judge->enforce->programs->maps.enforcements),
				   &slot, &judge->policy) ? -errno : 0;
}

void judge_lose(struct enforce_judge *judge, uint64_t count)
{
	atomic_fetch_add(&judge->failed, count);
	verdicts_lose(&judge->enforce->sensor->verdicts, count);
}

static bool row_find(const struct enforce_judge *judge, enum immune_table table, const void *key,
		     void *row)
{
	return !bpf_map_lookup_elem(enforce_table_fd(judge->enforce, table), key, row);
}

static void narrow(const struct enforce_judge *judge, struct enforce_act *act, enum immune_table table,
		   const void *key, uint64_t named, uint64_t any)
{
	struct immune_entries row;
	uint64_t holds = any;

	if (!(act->entries & named))
		return;
	if (row_find(judge, table, key, &row))
		holds = (any | row.add) & ~row.remove;
	act->entries &= ~named | holds;
}

/* As act_narrow_roles() of bpf/lib/judge.h. */
static void narrow_roles(const struct enforce_judge *judge, struct enforce_act *act)
{
	struct immune_value_key role = { .generation = judge->generation };
	uint64_t named = judge->policy.by_role, add = 0, remove = ~0ull;
	uint64_t roles = act->roles ? act->roles : 1;

	if (!(act->entries & named))
		return;
	for (uint32_t i = 0; i < IMMUNE_ROLE_PLACES && roles >> i; i++) {
		struct immune_entries row = { 0 };

		if (!(roles >> i & 1))
			continue;
		role.value = role_at(i);
		row_find(judge, IMMUNE_TABLE_ROLES, &role, &row);
		add |= row.add;
		remove &= row.remove;
	}
	act->entries &= ~named | ((judge->policy.any_role | add) & ~remove);
}

static uint32_t device_of(const struct statx *about)
{
	return about->stx_dev_major << 20 | about->stx_dev_minor;
}

/* As is_spared() of bpf/lib/judge.h. */
static bool is_spared(const struct enforce_act *act, const struct immune_enforced_file *row)
{
	const struct immune_record_header *header = &act->about.header;
	struct process_users users;

	return !header->role && !header->session && !process_users(act->opener, &users) &&
	       (!users.real || users.real == row->user);
}

/* Exceptions by the program that acts. */
static void judge_program(const struct enforce_judge *judge, struct enforce_act *act)
{
	struct immune_file_key key = { .generation = judge->generation };
	struct immune_enforced_file row;
	struct statx program;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/exe", act->about.header.pid);
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO, &program))
		return;
	key.device = device_of(&program);
	key.inode = program.stx_ino;
	if (!row_find(judge, IMMUNE_TABLE_FILES, &key, &row))
		return;
	act->entries &= ~row.entries.remove;
	if (act->entries && row.flags & IMMUNE_FILE_PROTECTED && is_spared(act, &row))
		act->entries = 0;
}

/*
 * Where an entry names users: the map has those of the last fork or exec. The opener waits for its
 * answer, so that /proc has those that it opens with.
 */
static void user_refresh(struct enforce_act *act, uint64_t by_user)
{
	struct process_users users;

	if (act->entries & by_user && !process_users(act->opener, &users))
		act->about.header.uid = users.effective;
}

static void judge_actor(const struct enforce_judge *judge, struct enforce_act *act)
{
	struct immune_record_header *header = &act->about.header;
	const struct immune_enforcement *policy = &judge->policy;
	struct immune_value_key user = { .generation = judge->generation };
	struct immune_session_key session = { judge->generation, 0, header->session };

	narrow_roles(judge, act);
	/* The session of one that was turned away from the map is not known: it may be each. */
	if (!(act->roles & 1))
		narrow(judge, act, IMMUNE_TABLE_SESSIONS, &session, policy->by_session,
		       policy->any_session);
	user_refresh(act, policy->by_user);
	user.value = header->uid;
	narrow(judge, act, IMMUNE_TABLE_USERS, &user, policy->by_user, policy->any_user);
	if (act->entries)
		judge_program(judge, act);
}

/* As entries_unplaced() of bpf/lib/judge.h, of a path that is longer than the kernel tells one. */
static uint64_t entries_unplaced(const struct enforce_judge *judge, const struct enforce_act *act)
{
	uint64_t entries = act->entries & judge->policy.by_tree;

	if (!(act->about.header.flags & IMMUNE_FLAG_TRUNCATED))
		return 0;
	return entries & judge->policy.blocking ? entries & judge->policy.blocking : entries;
}

static uint64_t path_entries(const struct enforce_judge *judge, const struct enforce_act *act)
{
	struct immune_path_key path = { .generation = judge->generation };
	struct immune_tree_key tree = { .generation = judge->generation };
	size_t length = act->about.slots[IMMUNE_OPEN_SLOT_PATH].length;
	struct immune_enforced_path exact;
	struct immune_entries row;
	uint64_t entries = 0;

	if (act->about.path[0] != '/')
		return entries_unplaced(judge, act);
	tree.bits = 8 * (uint32_t)(sizeof(tree) - sizeof(tree.bits));
	memcpy(tree.path, act->about.path,
	       length < sizeof(tree.path) ? length : sizeof(tree.path));
	/* Two names may be meant, in the same directory: no exact path. */
	if (length <= sizeof(path.path) && !(act->about.header.flags & IMMUNE_FLAG_UNRESOLVED)) {
		memcpy(path.path, act->about.path, length);
		if (row_find(judge, IMMUNE_TABLE_PATHS, &path, &exact))
			entries |= exact.add;
	}
	if (row_find(judge, IMMUNE_TABLE_TREES, &tree, &row))
		entries |= row.add;
	return entries;
}

/* Whether a program may be hashed while its exec waits; one that may not goes on, counted. */
static bool can_hash(struct enforce_judge *judge, const struct enforce_act *act, int fd)
{
	if (act->file.stx_size > ANSWER_HASH_BYTES_MAX)
		return false;
	/* A program in user space serves its files, when it likes to. */
	if (!served_file(sensor_served_fd(judge->enforce->sensor), fd))
		return true;
	judge_lose(judge, 1);
	return false;
}

static bool is_same(const struct immune_learned_file *row, const struct statx *file)
{
	return row->changed_s == (uint64_t)file->stx_ctime.tv_sec &&
	       row->changed_ns == file->stx_ctime.tv_nsec;
}

/* Whether its change time tells the program from all that it may be changed to. */
static bool is_kept(const struct enforce_judge *judge, const struct enforce_act *act, int fd)
{
	const struct statx_timestamp *changed = &act->file.stx_ctime;

	return !file_ticks((uint64_t)changed->tv_sec * NS_PER_S + changed->tv_nsec) &&
	       file_tells(sensor_file_fd(judge->enforce->sensor), fd);
}

/* Entries that the program's hash is listed for; from then on the kernel knows it by identity. */
static uint64_t hash_entries(struct enforce_judge *judge, const struct enforce_act *act, int fd)
{
	struct immune_file_key key = { judge->generation, device_of(&act->file),
				       act->file.stx_ino };
	struct immune_learned_file row = { .changed_s = (uint64_t)act->file.stx_ctime.tv_sec,
					   .changed_ns = act->file.stx_ctime.tv_nsec };
	bool keep = is_kept(judge, act, fd);
	struct file_identity kernel;
	uint8_t digest[SHA256_BYTES];

	if (file_hash_until(fd, ANSWER_HASH_BYTES_MAX, clock_boot_ns() + ANSWER_HASH_NS_MAX,
			    digest)) {
		judge_lose(judge, 1);
		return 0;
	}
	atomic_fetch_add(&judge->hashed, 1);
	for (uint32_t i = 0; i < judge->hash_count; i++)
		if (!memcmp(judge->hashes[i].sha256, digest, sizeof(digest)))
			row.entries |= judge->hashes[i].entries;
	/* Also one that is on no list is known by then, and not read again until it changes. */
	if (keep) {
		bpf_map_update_elem(enforce_learned_fd(judge->enforce), &key, &row, BPF_ANY);
		if (file_identity(fd, &kernel) &&
		    (kernel.device != key.device || kernel.inode != key.inode)) {
			key.device = kernel.device;
			key.inode = kernel.inode;
			bpf_map_update_elem(enforce_learned_fd(judge->enforce), &key, &row, BPF_ANY);
		}
	}
	return row.entries;
}

/* Finds the entries that a program's hash is listed for; false when it was not hashed as it is. */
static bool hash_known(const struct enforce_judge *judge, struct enforce_act *act)
{
	const struct immune_file_key key = { judge->generation, device_of(&act->file),
					     act->file.stx_ino };
	struct immune_learned_file learned;

	if (bpf_map_lookup_elem(enforce_learned_fd(judge->enforce), &key, &learned) ||
	    !is_same(&learned, &act->file))
		return false;
	act->found |= learned.entries;
	return true;
}

/* Finds the entries that a file is in; true when its hash has to be known for that. */
static bool judge_file(struct enforce_judge *judge, struct enforce_act *act, int fd)
{
	struct immune_file_key key = { judge->generation, 0, 0 };
	struct immune_enforced_file row = { 0 };

	act->found = path_entries(judge, act);
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | STATX_CTIME | STATX_SIZE,
		  &act->file))
		return false;
	key.device = device_of(&act->file);
	key.inode = act->file.stx_ino;
	if (row_find(judge, IMMUNE_TABLE_FILES, &key, &row))
		act->found |= row.entries.add;
	if (act->action != IMMUNE_ACTION_EXEC)
		return false;
	if (row.flags & IMMUNE_FILE_PROTECTED) {
		act->found = 0;
		return false;
	}
	return judge->hash_count && !hash_known(judge, act) && can_hash(judge, act, fd);
}

/* Entries before all that list hashes and only tell: what refuses by these, no hash can let go. */
static uint64_t entries_early(const struct enforce_judge *judge)
{
	uint64_t telling = 0;

	for (uint32_t i = 0; i < judge->hash_count; i++)
		telling |= judge->hashes[i].entries;
	telling &= ~judge->policy.blocking;
	return telling ? (telling & -telling) - 1 : ~0ull;
}

/* The first entry that has not expired, from 1; 0 when none is left. */
static uint16_t entry_first(const struct enforce_judge *judge, const struct enforce_act *act)
{
	uint64_t now_ns = clock_boot_ns();

	for (int i = 0; i < IMMUNE_ENTRIES_MAX; i++)
		if (act->entries >> i & 1 && (!judge->policy.expires_ns[i] ||
					      now_ns < judge->policy.expires_ns[i]))
			return (uint16_t)(i + 1);
	return 0;
}

static uint16_t decide(struct enforce_judge *judge, uint16_t entry)
{
	uint64_t minute = clock_boot_ns() / NS_PER_MINUTE;
	bool is_free;

	if (!(judge->policy.blocking >> (entry - 1) & 1))
		return IMMUNE_OUTCOME_MONITORED;
	pthread_mutex_lock(&judge->lock);
	if (judge->minute != minute)
		judge->used = 0;
	judge->minute = minute;
	is_free = judge->used < judge->policy.actions_per_minute;
	judge->used += is_free;
	pthread_mutex_unlock(&judge->lock);
	return is_free ? IMMUNE_OUTCOME_REFUSED : IMMUNE_OUTCOME_CAPPED;
}

static void tell(struct enforce_judge *judge, const struct enforce_act *act)
{
	struct {
		struct immune_record_header header;
		struct immune_verdict_body body;
		struct immune_slot path_slot;
		char path[IMMUNE_PATH_BYTES_MAX + IMMUNE_RECORD_ALIGNMENT];
	} record = { .header = act->about.header };
	uint32_t length = act->about.slots[IMMUNE_OPEN_SLOT_PATH].length;
	uint32_t at = offsetof(typeof(record), path);

	record.header.header_length = sizeof(record.header);
	record.header.body_length = sizeof(record.body);
	record.header.kind = IMMUNE_KIND_VERDICT;
	record.header.version = IMMUNE_RECORD_VERSION;
	record.header.slot_count = IMMUNE_VERDICT_SLOT_COUNT;
	record.header.length = (at + length + 7) & ~7u;
	record.body.entry = act->entry;
	record.body.action = act->action;
	record.body.tier = IMMUNE_TIER_FANOTIFY;
	record.body.outcome = act->outcome;
	record.body.device = act->about.body.device;
	record.body.inode = act->about.body.inode;
	record.body.policy = judge->policy.policy;
	record.path_slot = (struct immune_slot){ (uint16_t)at, (uint16_t)length, length };
	memcpy(record.path, act->about.path, length);
	verdicts_push(&judge->enforce->sensor->verdicts, &record.header);
}

/* Who acts, once it is known on what; true when it is to be refused. */
static bool judge_opener(struct enforce_judge *judge, struct enforce_act *act)
{
	const struct immune_sensor *sensor = judge->enforce->sensor;
	const struct watch_maps maps = { sensor_processes_fd(sensor), -1,
					 sensor_overflowed_fd(sensor) };

	act->entries &= act->found;
	if (!act->entries)
		return false;
	act->roles = watch_who(&act->about.header, &maps, act->opener);
	if (act->about.header.flags & IMMUNE_FLAG_KERNEL_THREAD)
		return false;
	judge_actor(judge, act);
	act->entry = act->entries ? entry_first(judge, act) : 0;
	if (!act->entry)
		return false;
	act->outcome = decide(judge, act->entry);
	return act->outcome == IMMUNE_OUTCOME_REFUSED;
}

enum judged judge_event(struct enforce_judge *judge, const struct fanotify_event_metadata *event,
			struct enforce_act *act)
{
	const struct immune_enforcement *policy = &judge->policy;
	bool is_exec = event->mask & FAN_OPEN_EXEC_PERM;
	uint64_t entries, found;

	act->entry = 0;
	if (event->pid == 1 || event->pid == getpid() || judge->enforce->now.paused)
		return JUDGED_GOES_ON;
	act->action = is_exec ? IMMUNE_ACTION_EXEC : IMMUNE_ACTION_OPEN;
	act->entries = is_exec ? policy->exec : policy->open_read;
	if (!act->entries)
		return JUDGED_GOES_ON;
	atomic_fetch_add(&judge->judged, 1);
	act->opener = event->pid;
	watch_record_file(&act->about, judge->proc_self_fd, event->fd);
	if (!judge_file(judge, act, event->fd))
		return judge_opener(judge, act) ? JUDGED_REFUSED : JUDGED_GOES_ON;
	entries = act->entries;
	found = act->found;
	act->found &= entries_early(judge);
	/* What is known of it may be enough, however long its hash takes. */
	if (judge_opener(judge, act))
		return JUDGED_REFUSED;
	act->entries = entries;
	act->found = found;
	return JUDGED_HASH;
}

bool judge_hash(struct enforce_judge *judge, struct enforce_act *act, int fd)
{
	/* It may have been hashed for another act while this one waited. */
	if (!hash_known(judge, act))
		act->found |= hash_entries(judge, act, fd);
	return judge_opener(judge, act);
}

void judge_end(struct enforce_judge *judge, struct enforce_act *act,
	       enum guardian_answered answered)
{
	if (!act->entry)
		return;
	if (act->outcome == IMMUNE_OUTCOME_MONITORED) {
		atomic_fetch_add(&judge->monitored, 1);
	} else if (act->outcome == IMMUNE_OUTCOME_CAPPED) {
		atomic_fetch_add(&judge->capped, 1);
	} else if (answered == GUARDIAN_ANSWERED) {
		atomic_fetch_add(&judge->refused, 1);
	} else {
		/* The guardian let it go and counted it, or its opener was killed. */
		act->outcome = IMMUNE_OUTCOME_FAILED;
	}
	tell(judge, act);
}

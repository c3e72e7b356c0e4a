// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hash.h"
#include "hash_apart.h"
#include "hash_cache.h"
#include "hash_file.h"
#include "hash_helper.h"
#include "hash_record.h"
#include "thread.h"
#include "watch_queue.h"

/* What waits to be hashed; more is counted and not hashed. */
#define REQUESTS_MAX 256
/* Of the thread: what it does is never urgent. */
#define NICE 5

/* Which file a request is for. */
struct hash_key {
	uint64_t inode;
	uint32_t device;
	uint32_t is_program;
};

struct hasher {
	pthread_t thread;
	bool runs;
	_Atomic bool stopping;
	_Atomic uint32_t mode; /* enum hash_mode */
	struct hash_programs programs;
	int wake_eventfd;
	pthread_mutex_t lock; /* guards requests, first and count */
	pthread_cond_t arrived;
	struct hash_request *requests; /* a ring of REQUESTS_MAX */
	struct hash_key *keys; /* of these; apart, as they are looked through */
	uint32_t first, count;
	struct hash_cache cache; /* the thread's */
	struct hash_apart *_Atomic apart; /* from the first file on that a program may serve */
	pthread_mutex_t told; /* guards the end of the queue where records are put */
	struct watch_queue queue;
	_Atomic uint64_t sequence;
	/* seen = the sum of these, and what waits */
	_Atomic uint64_t submitted, filtered, ring_full, oversized, unreadable;
};

/* True when there was room. Both lanes tell. */
static bool tell(struct hasher *hasher, const struct hash_request *request,
		 const struct hash_version *version, const uint8_t digest[SHA256_BYTES])
{
	struct hash_record record;
	enum watch_push pushed;
	uint64_t one = 1;

	hash_record_fill(&record, request, version, digest);
	pthread_mutex_lock(&hasher->told);
	/* Taken before the queue is asked: a full queue leaves a visible gap. */
	record.header.sequence = atomic_fetch_add(&hasher->sequence, 1) + 1;
	pushed = watch_queue_push(&hasher->queue, &record, record.header.length);
	pthread_mutex_unlock(&hasher->told);
	/* A full eventfd is readable already, which is all that is asked of it. */
	if (pushed == WATCH_PUSH_FIRST &&
	    write(hasher->wake_eventfd, &one, sizeof(one)) != sizeof(one))
		return true;
	return pushed != WATCH_PUSH_FULL;
}

static bool wants_each(struct hasher *hasher, const struct hash_request *request)
{
	return atomic_load(&hasher->mode) == HASH_EACH && request->is_program;
}

/* A hash of the second lane: what became of it. */
static enum hash_told found_apart(void *state, const struct hash_request *request,
				  const struct hasher_answer *answer)
{
	struct hasher *hasher = state;

	if (answer->is_known && !wants_each(hasher, request))
		return HASH_TOLD_BEFORE;
	return tell(hasher, request, &answer->version, answer->digest) ? HASH_TOLD
								       : HASH_NO_ROOM;
}

/* To the second lane. Programs alone: to read a watched file is to open it, which is told again. */
static int give_apart(struct hasher *hasher, const struct hash_request *request,
		      const struct hash_apart_file *file)
{
	const struct hash_apart_options options = { found_apart, hasher };
	struct hash_apart *apart = hasher->apart;
	int error = request->is_program ? 0 : -EINVAL;

	if (!error && !apart) {
		error = hash_apart_start(&apart, &options);
		hasher->apart = apart;
	}
	if (error)
		close(file->place);
	else
		hash_apart_give(apart, request, file);
	return error;
}

static bool goes_on(void *state)
{
	return !atomic_load(&((struct hasher *)state)->stopping);
}

static void serve(struct hasher *hasher, const struct hash_request *request)
{
	const struct hash_reading reading = { goes_on, hasher };
	struct hash_version version = { 0 };
	struct hash_found found = { 0 };
	struct hash_apart_file file;
	int fd = hash_open(request, &hasher->programs, &version, &file);
	int error = fd < 0 ? fd : 0;

	/* Not by the error: a server of files can answer with any. */
	if (file.place >= 0) {
		error = give_apart(hasher, request, &file);
		/* It is counted there. */
		if (!error)
			return;
	}
	if (!error) {
		error = hash_cache_ask(&hasher->cache, fd, &version, &reading, &found);
		close(fd);
	}
	if (error)
		atomic_fetch_add(error == -EFBIG ? &hasher->oversized : &hasher->unreadable, 1);
	else if (found.is_known && !wants_each(hasher, request))
		atomic_fetch_add(&hasher->filtered, 1);
	else if (tell(hasher, request, &version, found.digest))
		atomic_fetch_add(&hasher->submitted, 1);
	else
		atomic_fetch_add(&hasher->ring_full, 1);
}

static void *run(void *argument)
{
	struct hasher *hasher = argument;
	struct hash_request *request = malloc(sizeof(*request));

	/* Of this thread alone, on Linux. */
	setpriority(PRIO_PROCESS, 0, NICE);
	while (request && !atomic_load(&hasher->stopping)) {
		pthread_mutex_lock(&hasher->lock);
		while (!hasher->count && !atomic_load(&hasher->stopping))
			pthread_cond_wait(&hasher->arrived, &hasher->lock);
		if (hasher->count) {
			*request = hasher->requests[hasher->first];
			hasher->first = (hasher->first + 1) % REQUESTS_MAX;
			hasher->count--;
		}
		pthread_mutex_unlock(&hasher->lock);
		if (!atomic_load(&hasher->stopping))
			serve(hasher, request);
	}
	free(request);
	return NULL;
}

/* The request for the same file that still waits, or NULL. */
static struct hash_request *waiting(const struct hasher *hasher, const struct hash_key *key,
				    const char *path, uint32_t length)
{
	for (uint32_t i = 0; i < hasher->count; i++) {
		uint32_t at = (hasher->first + i) % REQUESTS_MAX;
		struct hash_request *request = &hasher->requests[at];

		if (!memcmp(&hasher->keys[at], key, sizeof(*key)) &&
		    !memcmp(request->path, path, length) && !request->path[length])
			return request;
	}
	return NULL;
}

/*
 * A file that waits already is looked at once, for the record that came last: its process is the one
 * that most likely lives. Both would find the file as it is then. Where each start is told of, each
 * has a request of its own. The lock is held.
 */
static void ask(struct hasher *hasher, const struct immune_record_header *header,
		const struct immune_slot *path, const struct hash_key *key)
{
	const char *text = (const char *)header + path->offset;
	struct hash_request *request = NULL;
	uint32_t at;

	if (!path->length || path->length >= IMMUNE_PATH_BYTES_MAX)
		return;
	if (atomic_load(&hasher->mode) != HASH_EACH || !key->is_program)
		request = waiting(hasher, key, text, path->length);
	if (request) {
		memcpy(&request->header, header, sizeof(request->header));
		atomic_fetch_add(&hasher->filtered, 1);
		return;
	}
	if (hasher->count == REQUESTS_MAX) {
		atomic_fetch_add(&hasher->ring_full, 1);
		return;
	}
	at = (hasher->first + hasher->count++) % REQUESTS_MAX;
	request = &hasher->requests[at];
	hasher->keys[at] = *key;
	memcpy(&request->header, header, sizeof(request->header));
	request->device = key->device;
	request->inode = key->inode;
	request->is_program = key->is_program;
	memcpy(request->path, text, path->length);
	request->path[path->length] = 0;
}

static void note_one(struct hasher *hasher, const struct immune_record_header *header)
{
	const uint8_t *body = (const uint8_t *)header + header->header_length;
	const struct immune_slot *slots = (const void *)(body + header->body_length);
	const struct immune_exec_body *exec = (const void *)body;
	const struct immune_open_body *open = (const void *)body;
	const struct immune_change_body *change = (const void *)body;

	if (header->kind == IMMUNE_KIND_EXEC)
		ask(hasher, header, &slots[IMMUNE_EXEC_SLOT_IMAGE],
		    &(struct hash_key){ exec->inode, exec->device, true });
	else if (header->kind == IMMUNE_KIND_OPEN && header->source == IMMUNE_SOURCE_WATCH)
		ask(hasher, header, &slots[IMMUNE_OPEN_SLOT_PATH],
		    &(struct hash_key){ open->inode, open->device, false });
	else if (header->kind == IMMUNE_KIND_CHANGE && change->inode &&
		 (change->change == IMMUNE_CHANGE_WHAT_WRITE ||
		  change->change == IMMUNE_CHANGE_WHAT_RENAME))
		ask(hasher, header, &slots[IMMUNE_CHANGE_SLOT_PATH],
		    &(struct hash_key){ change->inode, change->device, false });
}

void hash_note(struct hasher *hasher, const uint8_t *records, uint32_t length)
{
	if (!length || atomic_load(&hasher->mode) == HASH_NONE)
		return;
	pthread_mutex_lock(&hasher->lock);
	/* Whole records of a layout that the sensor itself made; each has a length. */
	for (uint32_t at = 0; at < length;) {
		const struct immune_record_header *header = (const void *)(records + at);

		note_one(hasher, header);
		at += header->length;
	}
	/* Once for all of them: a thread that works looks by itself. */
	if (hasher->count)
		pthread_cond_signal(&hasher->arrived);
	pthread_mutex_unlock(&hasher->lock);
}

void hash_want(struct hasher *hasher, enum hash_mode mode)
{
	atomic_store(&hasher->mode, mode);
}

uint32_t hash_drain(struct hasher *hasher, uint8_t *buffer, uint32_t capacity)
{
	return watch_queue_drain(&hasher->queue, buffer, capacity);
}

int hash_start(struct hasher **out, const struct hash_programs *programs, int wake_eventfd)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));

	*out = NULL;
	if (!hasher)
		return -ENOMEM;
	pthread_mutex_init(&hasher->lock, NULL);
	pthread_cond_init(&hasher->arrived, NULL);
	pthread_mutex_init(&hasher->told, NULL);
	hasher->programs = *programs;
	hasher->wake_eventfd = wake_eventfd;
	/* Taken page by page as they are used: at rest nothing of them is. */
	hasher->requests = malloc(REQUESTS_MAX * sizeof(*hasher->requests));
	hasher->keys = malloc(REQUESTS_MAX * sizeof(*hasher->keys));
	hasher->queue.bytes = malloc(WATCH_QUEUE_BYTES);
	hasher->runs = hasher->requests && hasher->keys && hasher->queue.bytes &&
		       !hash_cache_init(&hasher->cache) &&
		       !thread_start(&hasher->thread, run, hasher);
	if (!hasher->runs) {
		hash_stop(hasher);
		return -ENOMEM;
	}
	*out = hasher;
	return 0;
}

void hash_stats(struct hasher *hasher, struct immune_stats_row *row)
{
	struct immune_counters *counters = &row->counters;

	memset(row, 0, sizeof(*row));
	row->source = (uint16_t)IMMUNE_SOURCE_HASH;
	row->sequence = atomic_load(&hasher->sequence);
	counters->submitted = atomic_load(&hasher->submitted);
	counters->filtered = atomic_load(&hasher->filtered);
	counters->ring_full = atomic_load(&hasher->ring_full);
	counters->oversized = atomic_load(&hasher->oversized);
	counters->unreadable = atomic_load(&hasher->unreadable);
	counters->seen = counters->submitted + counters->filtered + counters->ring_full +
			 counters->oversized + counters->unreadable;
}

int hash_apart_rows(struct hasher *hasher, struct immune_stats_row rows[2])
{
	struct hash_apart *apart = hasher->apart;

	if (apart)
		hash_apart_stats(apart, rows);
	return apart ? 2 : 0;
}

bool hash_apart_off(struct hasher *hasher)
{
	return hasher->apart && hash_helpers_left() == HASH_HELPERS_LEFT_MAX;
}

void hash_stop(struct hasher *hasher)
{
	if (!hasher)
		return;
	pthread_mutex_lock(&hasher->lock);
	atomic_store(&hasher->stopping, true);
	pthread_cond_signal(&hasher->arrived);
	pthread_mutex_unlock(&hasher->lock);
	if (hasher->runs)
		pthread_join(hasher->thread, NULL);
	hash_apart_stop(hasher->apart);
	free(hasher->requests);
	free(hasher->keys);
	free(hasher->queue.bytes);
	hash_cache_free(&hasher->cache);
	pthread_cond_destroy(&hasher->arrived);
	pthread_mutex_destroy(&hasher->lock);
	pthread_mutex_destroy(&hasher->told);
	free(hasher);
}

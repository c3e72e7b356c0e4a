// SPDX-License-Identifier: MIT
/* Hashes that are kept, and those that are not. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash_cache.h"
#include "sensor_test.h"

static bool goes_on(void *state)
{
	(void)state;
	return true;
}

static const struct hash_reading reading = { goes_on, NULL };

static void write_text(int fd, const char *text)
{
	must(pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text), "written: %m");
}

/* Looks at a file that was changed just now. On a busy host a look may come too late: again. */
static struct hash_version look_at_once(int fd, const char *text)
{
	struct hash_version version;

	do {
		write_text(fd, text);
		must(!hash_look(fd, 0, &version), "looked at");
	} while (version.lasts);
	return version;
}

static struct hash_version look_until_it_lasts(int fd)
{
	struct hash_version version;

	do
		must(!hash_look(fd, 0, &version), "looked at");
	while (!version.lasts);
	return version;
}

static struct hash_found ask(struct hash_cache *cache, int fd, const struct hash_version *version)
{
	struct hash_found found;

	must(lseek(fd, 0, SEEK_SET) == 0, "to its start: %m");
	must(!hash_cache_ask(cache, fd, version, &reading, &found), "hashed");
	return found;
}

/* What was read within the tick of its change is read again, later on it is not. */
void test_hash_tick(void)
{
	/* In memory, where a mapping that was read before changes content and no time. */
	int fd = memfd_create("mine", MFD_CLOEXEC);
	struct hash_cache cache = { 0 };
	struct hash_version young, old;
	struct hash_found first, second, third;
	volatile char *mapped;

	must(fd >= 0 && !hash_cache_init(&cache), "memory: %m");
	write_text(fd, "one");
	mapped = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(mapped != MAP_FAILED && mapped[0] == 'o', "mapped: %m");
	young = look_at_once(fd, "one");
	first = ask(&cache, fd, &young);
	must(!first.is_known && ask(&cache, fd, &young).is_known, "it is the same again");
	mapped[0] = '1';
	old = look_until_it_lasts(fd);
	must(old.change_time_ns == young.change_time_ns, "a change without a time of its own");
	second = ask(&cache, fd, &old);
	must(!second.is_known && memcmp(first.digest, second.digest, sizeof(first.digest)),
	     "what was changed within the tick is told");
	mapped[0] = 'o';
	third = ask(&cache, fd, &old);
	must(third.is_known && !memcmp(second.digest, third.digest, sizeof(second.digest)),
	     "what lasts is not read again");
	munmap((void *)mapped, 3);
	hash_cache_free(&cache);
	close(fd);
}

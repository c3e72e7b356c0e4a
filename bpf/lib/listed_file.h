/* SPDX-License-Identifier: MIT */
/*
 * Keys of files that indicators list, as the loader gives them to the programs. Include
 * <linux/types.h> (user space) or vmlinux.h (BPF) first.
 *
 * A key is the hash of a sequence of components (marks.h) that starts with one of these numbers; so a
 * path is known by two keys, its last name's and its own: specs/sensor_filter.md.
 */
#ifndef IMMUNE_LISTED_FILE_H
#define IMMUNE_LISTED_FILE_H

/* Keys that one Bloom map holds, and how many hashes it takes of each. */
#define IMMUNE_LISTED_FILES_MAX 262144
#define IMMUNE_LISTED_FILE_HASHES 5

/* What a key is of: beyond the numbers of marks. */
enum immune_listed_key {
	IMMUNE_LISTED_LAST = 16, /* the last component of what follows: who has none is not listed */
	IMMUNE_LISTED_NAME = 17, /* a name, in whatever directory */
	IMMUNE_LISTED_PATH = 18, /* a whole path */
};

#endif

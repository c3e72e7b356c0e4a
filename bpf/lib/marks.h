/* SPDX-License-Identifier: MIT */
/*
 * What tells a program's role: marks in its path and arguments, and terms over them. Written by the
 * loader from a policy, read at exec. Include <linux/types.h> (user space) or vmlinux.h (BPF) first.
 *
 * A path or argument is cut at its slashes into components, ASCII letters in lower case. A component
 * is known by its FNV-1a hash (64 bits), a sequence of them by a hash over those hashes that starts
 * with the type of the mark. specs/labels.md has the contract; agent/labels/hash.ts is the other
 * side of it.
 */
#ifndef IMMUNE_MARKS_H
#define IMMUNE_MARKS_H

/* Marks of a policy: 2,048 of programs, 2,048 of opened files; and terms over the former. */
#define IMMUNE_MARKS_MAX 4096
#define IMMUNE_TERMS_MAX 64
/* Longest sequence of components in a mark other than those of a whole path or a directory. */
#define IMMUNE_MARK_SEQUENCE_MAX 4
/* Components of a program's path and of its arguments that are looked at. */
#define IMMUNE_COMPONENTS_MAX 128
/* Bytes of the path, and of the arguments, that are looked at: 32 arguments of 256 bytes. */
#define IMMUNE_MARK_PATH_BYTES_MAX 1024
#define IMMUNE_MARK_ARGUMENTS_MAX 32
#define IMMUNE_MARK_ARGUMENT_BYTES_MAX 256

#define IMMUNE_FNV_OFFSET 0xcbf29ce484222325ull
#define IMMUNE_FNV_PRIME 0x100000001b3ull

/* What a mark's components must be: the seed of its hash. */
enum immune_mark_type {
	IMMUNE_MARK_PATH = 1, /* the whole path of the image */
	IMMUNE_MARK_DIRECTORY = 2, /* a directory that the image is in or below */
	IMMUNE_MARK_TAIL = 3, /* the last components of the image's path */
	IMMUNE_MARK_PART = 4, /* components of the image's path, anywhere */
	IMMUNE_MARK_ARGUMENT = 5, /* components of one argument, anywhere */
	IMMUNE_MARK_EXTENSION = 6, /* the last component from its last dot on */
	IMMUNE_MARK_LAST = 7, /* the last component of a mark that has more */
};

/* Added to a type: the mark is one of opened files, whose bits are those below. */
#define IMMUNE_MARK_OPEN 8

/* What a mark of opened files counts for. */
enum immune_open_bit {
	IMMUNE_OPEN_ANY = 1, /* every open */
	IMMUNE_OPEN_WRITE = 2, /* opens that may write */
};

/* Slashes that a sequence must have at its ends. */
enum immune_mark_edge {
	IMMUNE_EDGE_BEFORE = 1,
	IMMUNE_EDGE_AFTER = 2,
};

/* Value of the map `marks`, whose key is the hash of the sequence. */
struct immune_mark {
	__u64 bits; /* set in a program's bits when it has this mark */
	__u32 edges; /* enum immune_mark_edge */
	__u32 reserved;
};

/* A program whose bits have all of `all` and none of `none` gets the role. */
struct immune_term {
	__u64 all;
	__u64 none;
	__u32 role;
	__u32 reserved;
};

/*
 * Bits of the filter before the map `marks`: a sequence whose bit is not set is no mark. Sixteen a
 * mark, so that few are looked up for nothing.
 */
#define IMMUNE_MARK_FILTER_BITS (IMMUNE_MARKS_MAX * 16)

static inline __u32 immune_mark_filter_bit(__u64 hash)
{
	return hash & (IMMUNE_MARK_FILTER_BITS - 1);
}

/* The one value of the map `terms`; the first term that holds counts. */
struct immune_terms {
	__u32 count;
	__u32 reserved;
	struct immune_term terms[IMMUNE_TERMS_MAX];
	__u64 filter[IMMUNE_MARK_FILTER_BITS / 64];
};

_Static_assert(sizeof(struct immune_mark) == 16, "immune_mark");
_Static_assert(sizeof(struct immune_term) == 24, "immune_term");
_Static_assert(sizeof(struct immune_terms) ==
		       8 + 24 * IMMUNE_TERMS_MAX + IMMUNE_MARK_FILTER_BITS / 8,
	       "immune_terms");

#endif

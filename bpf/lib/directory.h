/* SPDX-License-Identifier: MIT */
/*
 * What rules could need of the files in one directory, kept so that no path is walked and cut for each
 * open: a verdict for each of the directories that were met last, by a digest of the way to its root.
 *
 * The digest is of where each directory's dentry lies, of the hash that the kernel keeps of its name,
 * and of the count that goes up with each rename of it. So it stands for the text of a path: nothing
 * has to be told of renames and mounts, and a dentry that is used again has the same name or another
 * digest.
 */
#ifndef IMMUNE_DIRECTORY_H
#define IMMUNE_DIRECTORY_H

#include "path.h"
#include "split.h"

/* Verdicts that a CPU keeps; a power of two. */
#define IMMUNE_DIRECTORIES 1024
/* Directories and mounts on the way to a root; files that are deeper are judged by their whole path. */
#define IMMUNE_CLIMB_MAX 32
/* Every mark there is: what cannot be looked at is not filtered away. */
#define IMMUNE_EVERY_BIT (~0ull)

struct immune_directory {
	__u64 digest; /* 0 = none */
	__u64 bits;
};

/* What the hook of opens keeps on a CPU. The kernel lets no hook of one tracepoint into itself. */
struct immune_open_memory {
	__u64 name_hash;
	__u64 extension_hash;
	__u64 listed_key; /* listed.h */
	__u8 name[IMMUNE_COMPONENT_ROOM];
	struct immune_directory directories[IMMUNE_DIRECTORIES];
};

_Static_assert(sizeof(struct immune_open_memory) <= 32 * 1024, "limit of a per-CPU value");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct immune_open_memory);
} open_memory SEC(".maps") __weak;

static __always_inline struct immune_open_memory *open_memory_get(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&open_memory, &key);
}

/* A dentry as one mount shows it; `root` is that mount's. */
struct place {
	struct dentry *dentry;
	struct dentry *root;
	struct mount *mount;
};

static __always_inline struct place place_of(struct file *file, bool typed)
{
	struct vfsmount *seen = READ(typed, file, f_path.mnt);
	/* Through a number, as the verifier lets no offset before the start of a typed pointer. */
	__u64 mount = (__u64)seen - bpf_core_field_offset(struct mount, mnt);

	return (struct place){
		.dentry = READ(typed, file, f_path.dentry),
		.root = READ(typed, seen, mnt_root),
		.mount = TYPE(typed, mount, mount),
	};
}

/* From the root of a mount to where it is mounted; false at the top. */
static __always_inline bool place_climb(struct place *place, bool typed)
{
	struct mount *mount = place->mount;
	struct mount *above = READ(typed, mount, mnt_parent);

	if (above == mount)
		return false;
	place->dentry = READ(typed, mount, mnt_mountpoint);
	place->root = READ(typed, above, mnt.mnt_root);
	place->mount = above;
	return true;
}

/* Whether a mount at the top is that of a namespace, so that paths up to it are whole. */
static __always_inline bool place_is_root(const struct place *place, bool typed)
{
	struct mount *mount = place->mount;
	__u64 namespace = (__u64)READ(typed, mount, mnt_ns);

	return namespace && namespace < IMMUNE_ERROR_POINTER_MIN;
}

/* The digest of a directory; 0 when its path is not whole or too deep. */
static __always_inline __u64 directory_digest(struct place place, __u64 digest, bool typed)
{
	/* Bounded by the steps to a root that are taken here. */
	for (int i = 0; i < IMMUNE_CLIMB_MAX; i++) {
		struct dentry *dentry = place.dentry, *parent;
		__u64 renames;

		if (dentry == place.root) {
			if (!place_climb(&place, typed))
				return place_is_root(&place, typed) ? digest : 0;
			continue;
		}
		parent = READ(typed, dentry, d_parent);
		if (parent == dentry)
			return 0;
		/* The difference of two addresses is a number to the verifier, one alone is not. */
		digest = sequence_add(digest, (char *)parent - (char *)dentry);
		renames = READ(typed, dentry, d_seq.seqcount.sequence);
		/* Above the bits that a name's hash and length have. */
		digest = sequence_add(digest, READ(typed, dentry, d_name.hash_len) ^ renames << 40);
		place.dentry = parent;
	}
	return 0;
}

/* Bits of the path that a slot has; all of them where it is not whole. */
static __always_inline __u64 path_bits(struct immune_scratch *scratch,
				       const struct immune_slot *path, __u32 flags)
{
	if (flags & (IMMUNE_FLAG_TRUNCATED | IMMUNE_FLAG_UNRESOLVED) || !path->length ||
	    path->length >= IMMUNE_MARK_PATH_BYTES_MAX)
		return IMMUNE_EVERY_BIT;
	scratch->split.bits = 0;
	split_text(scratch, path->offset + 1, path->length - 1, IMMUNE_EDGE_BEFORE,
		   IMMUNE_MARK_PATH_BYTES_MAX);
	split_end(&scratch->split, END_OF_TEXT);
	if (scratch->split.count >= IMMUNE_COMPONENTS_MAX)
		return IMMUNE_EVERY_BIT;
	directories_look(scratch->place, IMMUNE_MARK_OPEN);
	components_look(scratch, IMMUNE_MARK_OPEN | IMMUNE_MARK_PART);
	return scratch->split.bits;
}

/* Bits of a directory by its path, as those of a file without a name in it. */
static __always_inline __u64 directory_look(struct immune_scratch *scratch,
					    const struct place *place, bool typed)
{
	struct mount *mount = place->mount;
	struct immune_slot path = {};
	__u32 flags = path_walk(scratch, place->dentry, &mount->mnt);
	__u64 end;

	scratch->length = 0;
	path_append(scratch, &path);
	end = scratch->length;
	/* Holds by what a path may have; the verifier wants it on the final value. */
	barrier_var(end);
	if (end >= IMMUNE_RECORD_BYTES_MAX)
		return IMMUNE_EVERY_BIT;
	/* The root has its slash. */
	if (path.length > 1) {
		scratch->record[end] = '/';
		path.length++;
	}
	return path_bits(scratch, &path, flags);
}

/*
 * Bits of the directory that a file is in, whatever the file is called. `generation` is that of the
 * filter: what was learned of another one is not found.
 */
static __always_inline __u64 directory_bits(struct immune_open_memory *memory,
					    const struct place *place, __u32 generation, bool typed)
{
	__u64 seed = sequence_add(IMMUNE_FNV_OFFSET, generation);
	__u64 digest = directory_digest(*place, seed, typed);
	struct immune_directory *known = &memory->directories[digest & (IMMUNE_DIRECTORIES - 1)];
	struct immune_scratch *scratch;
	__u64 bits;

	if (digest && known->digest == digest)
		return known->bits;
	scratch = scratch_take();
	if (!scratch)
		return IMMUNE_EVERY_BIT;
	bits = directory_look(scratch, place, typed);
	scratch_release(scratch);
	/* A directory that was renamed meanwhile: which name was looked at is not known. */
	if (digest && digest == directory_digest(*place, seed, typed)) {
		known->digest = digest;
		known->bits = bits;
	}
	return bits;
}

#endif

/* SPDX-License-Identifier: MIT */
/* The path of a file as the kernel holds it: from dentry to root, across mounts. */
#ifndef IMMUNE_PATH_H
#define IMMUNE_PATH_H

#include "record.h"

/* Mounts that a walk may cross besides its components. */
#define IMMUNE_CROSSINGS_MAX 16
/* Steps of a walk that one call takes, and the calls that a whole walk may take. */
#define IMMUNE_WALK_STEPS 8
#define IMMUNE_WALKS_MAX ((IMMUNE_PATH_COMPONENTS_MAX + IMMUNE_CROSSINGS_MAX) / IMMUNE_WALK_STEPS)
/* An error pointer is one of the last 4095 values. */
#define IMMUNE_ERROR_POINTER_MIN ((__u64)-4095)

/* Puts one component and its slash before what is there; one that does not fit ends the keeping. */
static __always_inline void walk_keep(struct immune_scratch *scratch, struct dentry *dentry)
{
	struct immune_walk *walk = &scratch->walk;
	struct qstr name = {};
	__u32 at = walk->at;
	__u32 whole, length;

	/* Hash, length and text at once: this structure is the same in all kernels. */
	BPF_CORE_READ_INTO(&name, dentry, d_name);
	whole = length = name.len;
	walk->original += whole + 1;
	/* Some file systems (FUSE, which any user may mount) take longer names than NAME_MAX. */
	if (whole > IMMUNE_COMPONENT_ROOM - 1) {
		walk->name_cut = 1;
		length = IMMUNE_COMPONENT_ROOM - 1;
	}
	/* Holds by the check above; clang would leave the mask out, which the verifier needs. */
	barrier_var(length);
	length &= IMMUNE_COMPONENT_ROOM - 1;
	if (walk->flags & IMMUNE_FLAG_TRUNCATED || at < length + 1) {
		walk->flags |= IMMUNE_FLAG_TRUNCATED | IMMUNE_FLAG_UNRESOLVED;
		return;
	}
	at -= length + 1;
	/* at was at most PATH_BYTES_MAX and fell: this holds, and tells the verifier. */
	barrier_var(at);
	if (at > IMMUNE_PATH_BYTES_MAX - 1)
		return;
	scratch->path[at] = '/';
	if (bpf_probe_read_kernel(&scratch->path[at + 1], length, name.name))
		walk->flags |= IMMUNE_FLAG_UNRESOLVED;
	walk->at = at;
}

/* One step up; false at the end. */
static __always_inline bool walk_step(struct immune_scratch *scratch)
{
	struct immune_walk *walk = &scratch->walk;
	struct dentry *dentry = walk->dentry;
	struct dentry *parent;

	if (dentry == walk->root) {
		struct mount *mount = walk->mount;
		struct mount *above = BPF_CORE_READ(mount, mnt_parent);
		__u64 namespace = (__u64)BPF_CORE_READ(mount, mnt_ns);

		if (above == mount) {
			/* A root that no namespace holds: unmounted, or the kernel's own. */
			if (!namespace || namespace >= IMMUNE_ERROR_POINTER_MIN)
				walk->flags |= IMMUNE_FLAG_UNRESOLVED;
			walk->unmounted = !namespace;
			return false;
		}
		walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		walk->mount = above;
		walk->root = BPF_CORE_READ(above, mnt.mnt_root);
		return true;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	walk_keep(scratch, dentry);
	if (parent == dentry) {
		/* Has no place in a tree: memfd, pipe, socket. Its name stands alone. */
		walk->flags |= IMMUNE_FLAG_UNRESOLVED;
		return false;
	}
	walk->dentry = parent;
	return true;
}

/*
 * Steps of one call; 1 when there are more. A global function is verified once and not once a turn
 * of its caller's loop (measured for an open: 74,000 instructions before, 3,700 since). It takes a number
 * alone, as older kernels let no pointer in. Weak: two objects have it, the linker keeps one.
 */
__weak __noinline int walk_some(__u32 place)
{
	struct immune_scratch *scratch = scratch_at(place);
	bool more = !!scratch;

	/* Bounded by the steps of one call; the caller's loop takes the rest. */
	for (int i = 0; more && i < IMMUNE_WALK_STEPS; i++)
		more = walk_step(scratch);
	return more;
}

/*
 * Walks from a path to the root of its mount tree and leaves the text in scratch->path, from
 * scratch->walk.at to IMMUNE_PATH_BYTES_MAX. Returns flags for the record.
 */
static __noinline __u32 path_walk(struct immune_scratch *scratch, struct dentry *dentry,
				  struct vfsmount *vfsmount)
{
	struct immune_walk *walk;
	bool more = dentry && vfsmount;

	if (!scratch)
		return IMMUNE_FLAG_UNRESOLVED;
	walk = &scratch->walk;
	walk->dentry = dentry;
	walk->mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
	walk->root = BPF_CORE_READ(vfsmount, mnt_root);
	walk->at = IMMUNE_PATH_BYTES_MAX;
	walk->original = 0;
	walk->name_cut = walk->unmounted = 0;
	walk->flags = more ? 0 : IMMUNE_FLAG_UNRESOLVED;
	/* Bounded by the most components and mounts that are followed. */
	for (int i = 0; more && i < IMMUNE_WALKS_MAX; i++)
		more = walk_some(scratch->place);
	/* Cut: what is above stays unknown, or a name is not whole. */
	if (more || walk->name_cut)
		walk->flags |= IMMUNE_FLAG_TRUNCATED | IMMUNE_FLAG_UNRESOLVED;
	if (!walk->original && !walk->flags) {
		/* The root itself has no component. */
		scratch->path[IMMUNE_PATH_BYTES_MAX - 1] = '/';
		walk->at = IMMUNE_PATH_BYTES_MAX - 1;
		walk->original = 1;
	}
	return walk->flags;
}

/* Appends the walked path to the record and points a slot at it. */
static __always_inline void path_append(struct immune_scratch *scratch, struct immune_slot *slot)
{
	__u64 at = scratch->length;
	__u64 from = scratch->walk.at;
	__u64 length;

	/* Read back from memory, so the verifier knows nothing: bound what the callers hold to. */
	barrier_var(at);
	barrier_var(from);
	if (at > IMMUNE_RECORD_BYTES_MAX - IMMUNE_PATH_BYTES_MAX || from > IMMUNE_PATH_BYTES_MAX)
		return;
	length = IMMUNE_PATH_BYTES_MAX - from;
	/* Holds by the check above; the verifier wants it on the final value. */
	barrier_var(length);
	if (length > IMMUNE_PATH_BYTES_MAX)
		return;
	if (bpf_probe_read_kernel(&scratch->record[at], length, &scratch->path[from]))
		return;
	slot->offset = at;
	slot->length = length;
	slot->original_length = scratch->walk.original;
	scratch->length = at + length;
}

#endif

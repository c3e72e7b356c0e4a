/* SPDX-License-Identifier: MIT */
/* The maps of the enforcing programs alone; those of maps.h are the sensor's own. */
#ifndef IMMUNE_ENFORCE_MAPS_H
#define IMMUNE_ENFORCE_MAPS_H

#include "path.h"

#include "enforcement.h"

/* Tiers are numbered from 1. */
#define IMMUNE_TIERS_MAX 8

#define ENFORCE_TABLE(name, kind, rows, key_type, value_type, how)       \
	struct {                                                         \
		__uint(type, kind);                                      \
		__uint(max_entries, 2 * (rows));                         \
		__uint(map_flags, how);                                  \
		__type(key, key_type);                                   \
		__type(value, value_type);                               \
	} name SEC(".maps") __weak

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct immune_enforced);
} enforced SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct immune_enforcement);
} enforcements SEC(".maps") __weak;

ENFORCE_TABLE(enforced_roles, BPF_MAP_TYPE_HASH, IMMUNE_ENFORCED_VALUES_MAX,
	      struct immune_value_key, struct immune_entries, 0);
ENFORCE_TABLE(enforced_users, BPF_MAP_TYPE_HASH, IMMUNE_ENFORCED_VALUES_MAX,
	      struct immune_value_key, struct immune_entries, 0);
ENFORCE_TABLE(enforced_sessions, BPF_MAP_TYPE_HASH, IMMUNE_ENFORCED_VALUES_MAX,
	      struct immune_session_key, struct immune_entries, 0);
ENFORCE_TABLE(enforced_protocols, BPF_MAP_TYPE_HASH, IMMUNE_ENFORCED_VALUES_MAX,
	      struct immune_value_key, struct immune_entries, 0);
ENFORCE_TABLE(enforced_paths, BPF_MAP_TYPE_HASH, IMMUNE_ENFORCED_PATHS_MAX,
	      struct immune_path_key, struct immune_enforced_path, BPF_F_NO_PREALLOC);
ENFORCE_TABLE(enforced_trees, BPF_MAP_TYPE_LPM_TRIE, IMMUNE_ENFORCED_PATHS_MAX,
	      struct immune_tree_key, struct immune_entries, BPF_F_NO_PREALLOC);
ENFORCE_TABLE(enforced_files, BPF_MAP_TYPE_HASH, IMMUNE_ENFORCED_FILES_MAX,
	      struct immune_file_key, struct immune_enforced_file, 0);
ENFORCE_TABLE(enforced_addresses, BPF_MAP_TYPE_LPM_TRIE, IMMUNE_ENFORCED_VALUES_MAX,
	      struct immune_address_key, struct immune_entries, BPF_F_NO_PREALLOC);
ENFORCE_TABLE(enforced_ports, BPF_MAP_TYPE_LPM_TRIE, IMMUNE_ENFORCED_VALUES_MAX,
	      struct immune_port_key, struct immune_entries, BPF_F_NO_PREALLOC);

/* Written by the fanotify tier, which hashes; of both generations, as its size is no bound of a policy. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, IMMUNE_ENFORCED_LEARNED_MAX);
	__type(key, struct immune_file_key);
	__type(value, struct immune_learned_file);
} enforced_learned SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct immune_allowance);
} enforced_actions SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct immune_allowance);
} enforced_records SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, IMMUNE_TIERS_MAX);
	__type(key, __u32);
	__type(value, struct immune_enforced_count);
} enforced_counts SEC(".maps") __weak;

/* Keys of paths are too large for the stack. */
struct immune_enforced_keys {
	struct immune_path_key path;
	struct immune_tree_key tree;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, IMMUNE_SCRATCHES);
	__type(key, __u32);
	__type(value, struct immune_enforced_keys);
} enforced_keys SEC(".maps") __weak;

#endif

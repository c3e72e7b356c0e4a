// SPDX-License-Identifier: MIT
/* Runs the live test that it is told; without a name, lists them. Exit code 0: it holds. */
#include "sensor_test.h"

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "counts", test_counts },     { "overflow", test_overflow }, { "flood", test_flood },
	{ "order", test_order },       { "exec", test_exec },	      { "paths", test_paths },
	{ "exits", test_exits },       { "identity", test_identity }, { "sockets", test_sockets },
	{ "datagrams", test_datagrams },
	{ "compat", test_compat },     { "policy", test_policy },     { "wake", test_wake },
	{ "gather", test_gather },     { "starts", test_starts },
	{ "snapshot", test_snapshot }, { "wrap", test_wrap },	      { "backlog", test_backlog },
	{ "names", test_names },       { "marks", test_marks },	      { "labels", test_labels },
	{ "number_reused", test_number_reused },
	{ "crowd", test_crowd },       { "turned_away", test_turned_away },
	{ "exits_once", test_exits_once },
	{ "label_ids", test_label_ids },
	{ "policy_undone", test_policy_undone },
	{ "descent", test_descent },   { "adopted", test_adopted },
	{ "unhooked", test_unhooked }, { "flows", test_flows },
	{ "public_peers", test_public_peers },
	{ "old_listener", test_old_listener },
	{ "listeners", test_listeners }, { "fast_open", test_fast_open },
	{ "fast_end", test_fast_end },
	{ "full_maps", test_full_maps }, { "old_connections", test_old_connections },
	{ "stale_connections", test_stale_connections },
	{ "dns", test_dns },	       { "dns_many", test_dns_many },
	{ "streams", test_streams },   { "signals", test_signals },
	{ "owned_files", test_owned_files },
	{ "timer_signals", test_timer_signals },
	{ "attach", test_attach },     { "hidden", test_hidden },
	{ "device_again", test_device_again },
	{ "device_room", test_device_room },
	{ "errors", test_errors },     { "mark_bounds", test_mark_bounds },
	{ "hash_tick", test_hash_tick },
	{ "fuse", test_fuse },	       { "fuse_still", test_fuse_still },
	{ "fuse_enforced", test_fuse_enforced },
	{ "fuse_asks", test_fuse_asks }, { "fuse_overlay", test_fuse_overlay },
	{ "fuse_mute", test_fuse_mute },
};

int main(int count, char **arguments)
{
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (count < 2)
			puts(tests[i].name);
		else if (!strcmp(arguments[1], tests[i].name)) {
			tests[i].run();
			return 0;
		}
	}
	return count < 2 ? 0 : 2;
}

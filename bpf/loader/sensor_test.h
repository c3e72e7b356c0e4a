/* SPDX-License-Identifier: MIT */
/* The live tests, each named in sensor_test.c. */
#ifndef IMMUNE_SENSOR_TEST_H
#define IMMUNE_SENSOR_TEST_H

#include "harness_test.h"

void test_counts(void);
void test_overflow(void);
void test_flood(void);
void test_order(void);
void test_exec(void);
void test_paths(void);
void test_exits(void);
void test_identity(void);
void test_sockets(void);
void test_datagrams(void);
void test_compat(void);
void test_policy(void);
void test_wake(void);
void test_gather(void);
void test_starts(void);
void test_snapshot(void);
void test_crowd(void);
void test_turned_away(void);
void test_exits_once(void);
void test_wrap(void);
void test_backlog(void);
void test_number_reused(void);
void test_names(void);
void test_marks(void);
void test_labels(void);
void test_label_ids(void);
void test_policy_undone(void);
void test_descent(void);
void test_adopted(void);
void test_unhooked(void);
void test_flows(void);
void test_public_peers(void);
void test_old_listener(void);
void test_listeners(void);
void test_fast_open(void);
void test_fast_end(void);
void test_full_maps(void);
void test_old_connections(void);
void test_stale_connections(void);
void test_dns(void);
void test_dns_many(void);
void test_streams(void);
void test_signals(void);
void test_owned_files(void);
void test_timer_signals(void);
void test_attach(void);
void test_hidden(void);
void test_device_again(void);
void test_device_room(void);
void test_errors(void);
void test_mark_bounds(void);
void test_hash_tick(void);
void test_fuse(void);
void test_fuse_still(void);
void test_fuse_enforced(void);
void test_fuse_asks(void);
void test_fuse_overlay(void);
void test_fuse_mute(void);

#endif

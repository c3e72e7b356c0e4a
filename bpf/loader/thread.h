/* SPDX-License-Identifier: MIT */
/* Threads of the library in a program of others. */
#ifndef IMMUNE_THREAD_H
#define IMMUNE_THREAD_H

#include <pthread.h>

/* Starts a thread that no signal interrupts: those are for the host program's own. 0 or -errno. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *argument);

#endif

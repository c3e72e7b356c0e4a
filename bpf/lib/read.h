/* SPDX-License-Identifier: MIT */
/* Reading the kernel's structures: by plain loads where the verifier knows a pointer's type. */
#ifndef IMMUNE_READ_H
#define IMMUNE_READ_H

#include "maps.h"

/* Of pointers that a program was given as arguments of its hook, and of what they lead to. */
#define TYPED true
/* Of pointers that are numbers to the verifier: of helpers, of maps, out of arrays. */
#define UNTYPED false

/*
 * source->a->b: a load each where the pointer is typed, a call of a helper each where it is not
 * (measured: about 1 and 15 ns). `typed` is constant where this is used, so that one of both stays.
 */
#define READ(typed, source, ...)                                                  \
	((typed) ? ___arrow((source), ##__VA_ARGS__) : BPF_CORE_READ((source), ##__VA_ARGS__))

/*
 * Whether bpf_get_current_task_btf() may be called in programs of every type: it came to them all
 * in the Linux that has this other helper (5.15).
 */
static __always_inline bool current_is_typed(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
}

/*
 * A pointer that is a number to the verifier, as one that plain loads may follow: in programs that are
 * loaded where the kernel has this function (object.c). In one source alone: libbpf's linker (1.1)
 * cannot join objects that call the same function of the kernel.
 */
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak;

#define TYPE(typed, type, pointer)                                                       \
	((typed) ? (struct type *)bpf_rdonly_cast((void *)(pointer),                     \
						  bpf_core_type_id_kernel(struct type)) \
		 : (struct type *)(pointer))

#endif

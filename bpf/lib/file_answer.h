/* SPDX-License-Identifier: MIT */
/* What bpf/events/file.bpf.c answers to the loader, bit by bit. */
#ifndef IMMUNE_FILE_ANSWER_H
#define IMMUNE_FILE_ANSWER_H

enum file_answer {
	/* The kernel has it under the device and inode that were asked about. */
	FILE_ANSWER_SAME = 1,
	/* Each change of it from now on gives it another change time. */
	FILE_ANSWER_TELLS = 2,
};

#endif

// SPDX-License-Identifier: MIT
/*
 * Changes the last byte of a file to the one that differs in its lowest bit, through a mapping whose
 * pages are read before: on a file system in memory the change time stays as it was.
 *
 *	remap PATH
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES 4096

int main(int count, char **arguments)
{
	int fd = count == 2 ? open(arguments[1], O_RDWR | O_CLOEXEC) : -1;
	volatile unsigned char *bytes;
	struct stat before, after;

	if (fd < 0 || fstat(fd, &before))
		return 2;
	bytes = mmap(NULL, (size_t)before.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		return 2;
	for (off_t at = 0; at < before.st_size; at += PAGE_BYTES)
		(void)bytes[at];
	bytes[before.st_size - 1] ^= 1;
	if (munmap((void *)bytes, (size_t)before.st_size) || fstat(fd, &after))
		return 2;
	puts(before.st_ctim.tv_sec == after.st_ctim.tv_sec &&
			     before.st_ctim.tv_nsec == after.st_ctim.tv_nsec
		     ? "untold"
		     : "told");
	return 0;
}

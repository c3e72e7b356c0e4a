// SPDX-License-Identifier: MIT
#include "file_hash.h"

#include <errno.h>
#include <unistd.h>

#include "sensor.h"

int file_hash(int fd, uint64_t bytes_max, uint8_t digest[SHA256_BYTES])
{
	return file_hash_until(fd, bytes_max, UINT64_MAX, digest);
}

int file_hash_until(int fd, uint64_t bytes_max, uint64_t deadline_ns,
		    uint8_t digest[SHA256_BYTES])
{
	uint8_t buffer[64 << 10];
	struct sha256 sha;
	ssize_t length;

	sha256_begin(&sha);
	/* Bounded by bytes_max: a file may grow while it is read. */
	while ((length = pread(fd, buffer, sizeof(buffer), (off_t)sha.bytes)) > 0) {
		sha256_add(&sha, buffer, (size_t)length);
		if (sha.bytes > bytes_max)
			return -EFBIG;
		if (deadline_ns != UINT64_MAX && clock_boot_ns() > deadline_ns)
			return -ETIME;
	}
	if (length < 0)
		return -errno;
	sha256_end(&sha, digest);
	return 0;
}

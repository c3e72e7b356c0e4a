# SPDX-License-Identifier: MIT
# A 32-bit program that opens /etc/hostname by the calls of its own table.
.globl _start
_start:
	mov $5, %eax
	mov $path, %ebx
	xor %ecx, %ecx
	xor %edx, %edx
	int $0x80
	mov $1, %eax
	xor %ebx, %ebx
	int $0x80
.section .rodata
path:
	.asciz "/etc/hostname"

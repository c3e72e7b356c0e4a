// SPDX-License-Identifier: MIT
/* A static program without a library, whose first act is to write: a refused one prints nothing. */
__attribute__((naked, noreturn)) void _start(void)
{
#if defined(__x86_64__)
	asm volatile("mov $1, %eax\n"
		     "mov $1, %edi\n"
		     "lea said(%rip), %rsi\n"
		     "mov $6, %edx\n"
		     "syscall\n"
		     "mov $60, %eax\n"
		     "xor %edi, %edi\n"
		     "syscall\n");
#elif defined(__aarch64__)
	asm volatile("mov x8, #64\n"
		     "mov x0, #1\n"
		     "adr x1, said\n"
		     "mov x2, #6\n"
		     "svc #0\n"
		     "mov x8, #93\n"
		     "mov x0, #0\n"
		     "svc #0\n");
#endif
}

asm("said: .ascii \"spoke\\n\"\n.balign 4\n");

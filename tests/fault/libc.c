/* SPDX-License-Identifier: Apache-2.0 */
/* What the library takes from the C library: memory and threads. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
void __real_free(void *mem);
void __wrap_free(void *mem);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*fn)(void *arg), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*fn)(void *arg), void *arg);
int __real_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result);

static bool is_refused(void)
{
	const bool refused = plan_now(FAULT_MALLOC, 0);

	if (refused)
		errno = ENOMEM;
	return refused;
}

static void *count_block(void *mem)
{
	if (mem)
		plan_add(1, 0, 0);
	return mem;
}

void *__wrap_malloc(size_t size)
{
	return is_refused() ? NULL : count_block(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : count_block(__real_calloc(n, size));
}

char *__wrap_strdup(const char *s)
{
	return is_refused() ? NULL : count_block(__real_strdup(s));
}

void __wrap_free(void *mem)
{
	if (mem)
		plan_add(-1, 0, 0);
	__real_free(mem);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*fn)(void *arg), void *arg)
{
	const int fate = plan_now(FAULT_THREAD, 0);
	int err;

	if (fate)
		return -plan_result(fate);
	err = __real_pthread_create(thread, attr, fn, arg);
	if (!err)
		plan_add(0, 0, 1);
	return err;
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
	const int err = __real_pthread_join(thread, result);

	if (!err)
		plan_add(0, 0, -1);
	return err;
}

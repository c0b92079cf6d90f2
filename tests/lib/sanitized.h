/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SANITIZED_H
#define TESTS_SANITIZED_H

/* The plain build shows what there is to show; the sanitizers are for finding
 * the bytes, and the races of threads, and slow: there is less of what is done
 * by the thousand. */
#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1, SANITIZED_THREAD = 0 };
#elif defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1, SANITIZED_THREAD = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { SANITIZED = 1, SANITIZED_THREAD = 0 };
#elif __has_feature(thread_sanitizer)
enum { SANITIZED = 1, SANITIZED_THREAD = 1 };
#else
enum { SANITIZED = 0, SANITIZED_THREAD = 0 };
#endif
#else
enum { SANITIZED = 0, SANITIZED_THREAD = 0 };
#endif

#endif

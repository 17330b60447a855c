/* SPDX-License-Identifier: MIT
 *
 * Checks that print both operands and are never compiled out. A failed check is counted and the test goes on; a failed
 * REQUIRE ends the program. All may be used from any thread, and from finalizers.
 *
 *     int main(void)
 *     {
 *         check_start("slot_test");
 *         CHECK_RUN(test_something);
 *         return check_finish();          prints "N passed, N failed"
 *     }
 *
 * OURO_TEST_ONLY=text in the environment runs only the tests whose name contains the text. */
#ifndef TESTS_SUPPORT_CHECK_H
#define TESTS_SUPPORT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

/* Each gives the outcome, so that a test can stop early: if (!CHECK(p)) return; */
#define CHECK(cond) check_that(!!(cond), __FILE__, __LINE__, #cond)
#define CHECK_EQ(a, b) check_int((intmax_t)(a), "==", (intmax_t)(b), __FILE__, __LINE__, #a, #b)
#define CHECK_NE(a, b) check_int((intmax_t)(a), "!=", (intmax_t)(b), __FILE__, __LINE__, #a, #b)
#define CHECK_LT(a, b) check_int((intmax_t)(a), "<", (intmax_t)(b), __FILE__, __LINE__, #a, #b)
#define CHECK_LE(a, b) check_int((intmax_t)(a), "<=", (intmax_t)(b), __FILE__, __LINE__, #a, #b)
#define CHECK_GT(a, b) check_int((intmax_t)(a), ">", (intmax_t)(b), __FILE__, __LINE__, #a, #b)
#define CHECK_GE(a, b) check_int((intmax_t)(a), ">=", (intmax_t)(b), __FILE__, __LINE__, #a, #b)
#define CHECK_PTR(a, b) check_pointer((a), (b), __FILE__, __LINE__, #a, #b)
#define CHECK_STR(a, b) check_string((a), (b), __FILE__, __LINE__, #a, #b)
/* The string a contains b. */
#define CHECK_HAS(a, b) check_contains((a), (b), __FILE__, __LINE__, #a, #b)
/* Not counted when it holds: for what a test cannot go on without. */
#define REQUIRE(cond) ((cond) ? (void)0 : check_give_up(__FILE__, __LINE__, #cond))

#define CHECK_RUN(test) check_run(#test, test)

bool check_that(bool ok, const char *file, int line, const char *text);
bool check_int(intmax_t a, const char *op, intmax_t b, const char *file, int line, const char *ta, const char *tb);
bool check_pointer(const void *a, const void *b, const char *file, int line, const char *ta, const char *tb);
bool check_string(const char *a, const char *b, const char *file, int line, const char *ta, const char *tb);
bool check_contains(const char *a, const char *b, const char *file, int line, const char *ta, const char *tb);
_Noreturn void check_give_up(const char *file, int line, const char *text);

/* The program's name and, if a test hangs, the message that says which. */
void check_start(const char *program);
/* Called before and after each test of CHECK_RUN; NULL for none. */
void check_around(void (*before)(void), void (*after)(void));
void check_run(const char *name, void (*test)(void));
int check_finish(void);

unsigned long check_failures(void);
/* For a forked child: counts from zero and says only what fails. */
void check_restart(void);

#endif

/* A small test harness: every TEST of a file runs in one process, in the order written.
 *
 *   TEST(test_group__case) { CHECK_EQ(1 + 1, 2); }
 *
 * CHECK and CHECK_EQ note a failure and go on; REQUIRE ends the case (on the main thread only). Arguments of the
 * program choose cases by part of their name; --list names them. A case that takes a minute has hung: it is named and
 * the program ends. The last line is "N passed, N failed"; the exit code is 0 when none failed. */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#include <signal.h>
#include <unistd.h>
#endif

struct harness_case {
    const char *name;
    void (*run)(void);
    struct harness_case *next;
};

static struct harness_case *harness_first;
static struct harness_case **harness_end = &harness_first;
static const char *harness_current = "";
static volatile int harness_failures;
static jmp_buf harness_out;

#define TEST(NAME)                                                                                                     \
    static void NAME(void);                                                                                            \
    __attribute__((constructor)) static void NAME##_add(void)                                                          \
    {                                                                                                                  \
        static struct harness_case self = {#NAME, NAME, NULL};                                                         \
        *harness_end = &self;                                                                                          \
        harness_end = &self.next;                                                                                      \
    }                                                                                                                  \
    static void NAME(void)

__attribute__((unused)) static int harness_fail(const char *file, int line, const char *text)
{
    harness_failures++;
    fprintf(stderr, "%s:%d: %s: %s\n", file, line, harness_current, text);
    return 0;
}

__attribute__((unused)) static int harness_equal(const char *file, int line, const char *what, unsigned long long got,
                                                 unsigned long long wanted)
{
    char text[512];
    if (got == wanted)
        return 1;
    snprintf(text, sizeof(text), "%s is %llu (%#llx), not %llu", what, got, got, wanted);
    return harness_fail(file, line, text);
}

/* Compares `size` bytes; a text of the same length is shown when they differ. */
__attribute__((unused)) static int harness_bytes(const char *file, int line, const char *what, const void *got,
                                                 size_t size, const char *wanted, size_t wanted_size)
{
    char text[2048];
    if (size == wanted_size && (size == 0 || memcmp(got, wanted, size) == 0))
        return 1;
    snprintf(text, sizeof(text), "%s is \"%.*s\" (%zu bytes), not \"%.*s\" (%zu bytes)", what, (int)(size < 800 ? size : 800),
             size ? (const char *)got : "", size, (int)(wanted_size < 800 ? wanted_size : 800), wanted, wanted_size);
    return harness_fail(file, line, text);
}

#define CHECK(CONDITION) ((CONDITION) ? 1 : harness_fail(__FILE__, __LINE__, #CONDITION " does not hold"))
#define CHECK_EQ(GOT, WANTED)                                                                                          \
    harness_equal(__FILE__, __LINE__, #GOT, (unsigned long long)(GOT), (unsigned long long)(WANTED))
#define CHECK_BYTES(GOT, SIZE, WANTED)                                                                                 \
    harness_bytes(__FILE__, __LINE__, #GOT, (GOT), (size_t)(SIZE), (WANTED), strlen(WANTED))
#define CHECK_HAS(TEXT, PART)                                                                                          \
    (strstr((TEXT), (PART)) ? 1 : harness_bytes(__FILE__, __LINE__, #TEXT " (for a part)", (TEXT), strlen(TEXT), (PART), strlen(PART)))
#define CHECK_LACKS(TEXT, PART)                                                                                        \
    (!strstr((TEXT), (PART)) ? 1 : harness_fail(__FILE__, __LINE__, #TEXT " has " PART))
#define REQUIRE(CONDITION)                                                                                             \
    do {                                                                                                               \
        if (!CHECK(CONDITION))                                                                                         \
            longjmp(harness_out, 1);                                                                                   \
    } while (0)

#ifndef _WIN32
static void harness_hung(int signal)
{
    static const char words[] = ": hangs\n";
    (void)signal;
    if (write(2, harness_current, strlen(harness_current)) < 0 || write(2, words, sizeof(words) - 1) < 0)
        _exit(3);
    _exit(2);
}
#endif

static int harness_chosen(const struct harness_case *it, int argc, char **argv)
{
    int index, filters = 0;
    for (index = 1; index < argc; index++) {
        if (argv[index][0] == '-')
            continue;
        filters++;
        if (strstr(it->name, argv[index]))
            return 1;
    }
    return filters == 0;
}

static int harness_run(const struct harness_case *it)
{
    int before = harness_failures;
    harness_current = it->name;
#ifndef _WIN32
    alarm(60);
#endif
    if (setjmp(harness_out) == 0)
        it->run();
#ifndef _WIN32
    alarm(0);
#endif
    return harness_failures == before;
}

int main(int argc, char **argv)
{
    const struct harness_case *it;
    int passed = 0, failed = 0, list = argc > 1 && strcmp(argv[1], "--list") == 0;
#ifndef _WIN32
    signal(SIGALRM, harness_hung);
#endif
    for (it = harness_first; it; it = it->next) {
        if (list)
            printf("%s\n", it->name);
        else if (harness_chosen(it, argc, argv)) {
            if (harness_run(it))
                passed++;
            else {
                failed++;
                printf("FAILED %s\n", it->name);
            }
        }
    }
    if (!list)
        printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}

#endif

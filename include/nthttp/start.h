/*
 * wmain under -fshort-wchar: the program's wmain becomes nthttp_wmain, and a main in front of it hands it the
 * arguments as UTF-16. wmain may take no, two or three arguments and must return int.
 */
#ifndef NTHTTP_START_H
#define NTHTTP_START_H

#include "base.h"

#if __SIZEOF_WCHAR_T__ == 2 && !defined(_WIN32)

#include "print.h"

/* The strings of argv or environ as UTF-16, ended by NULL; they live as long as the program. */
static inline wchar_t **nthttp_wide_strings(char **strings) {
    size_t count = 0, i;
    wchar_t **wide;
    while (strings[count]) {
        count++;
    }
    wide = (wchar_t **)calloc(count + 1, sizeof *wide);
    for (i = 0; wide && i < count; i++) {
        size_t length = nthttp_mbstowcs(NULL, strings[i], 0);
        wide[i] = (wchar_t *)calloc(length + 1, sizeof(wchar_t));
        if (!wide[i]) {
            return NULL;
        }
        nthttp_mbstowcs(wide[i], strings[i], length + 1);
    }
    return wide;
}

#ifdef __cplusplus
extern "C++" {
static inline int nthttp_call_wmain(int (*program)(), int, wchar_t **, wchar_t **) {
    return program();
}
template <typename Strings> int nthttp_call_wmain(int (*program)(int, Strings), int argc, wchar_t **argv, wchar_t **) {
    return program(argc, const_cast<Strings>(argv));
}
template <typename Strings, typename Environment>
int nthttp_call_wmain(int (*program)(int, Strings, Environment), int argc, wchar_t **argv, wchar_t **envp) {
    return program(argc, const_cast<Strings>(argv), const_cast<Environment>(envp));
}
}
#else
/* On every supported platform a function that takes fewer arguments than the caller gives ignores the rest. */
static inline int nthttp_call_any(void (*program)(void), int argc, wchar_t **argv, wchar_t **envp) {
    return ((int (*)(int, wchar_t **, wchar_t **))program)(argc, argv, envp);
}
#define nthttp_call_wmain(program, argc, argv, envp) nthttp_call_any((void (*)(void))(program), argc, argv, envp)
#endif

#define wmain(...) \
    nthttp_wmain(__VA_ARGS__); \
    int main(int argc, char **argv, char **envp) { \
        static wchar_t **wide, **environment; \
        wide = nthttp_wide_strings(argv); \
        environment = nthttp_wide_strings(envp); \
        return wide && environment ? nthttp_call_wmain(nthttp_wmain, argc, wide, environment) : 255; \
    } \
    int nthttp_wmain(__VA_ARGS__)

#endif

#endif

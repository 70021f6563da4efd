/* <conio.h>: _getch and _kbhit, for the samples that wait for a key. */
#ifndef NTHTTP_CONIO_H
#define NTHTTP_CONIO_H

#include <poll.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

static inline int _getch(void) {
    struct termios old_mode, raw_mode;
    unsigned char key;
    int is_terminal = tcgetattr(STDIN_FILENO, &old_mode) == 0, got;
    fflush(stdout);
    if (is_terminal) {
        raw_mode = old_mode;
        raw_mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw_mode);
    }
    got = read(STDIN_FILENO, &key, 1) == 1;
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &old_mode);
    }
    return got ? key : EOF;
}

static inline int _getche(void) {
    int key = _getch();
    if (key != EOF) {
        putchar(key);
    }
    return key;
}

static inline int _kbhit(void) {
    struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
    return poll(&input, 1, 0) > 0;
}

#endif

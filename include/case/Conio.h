#include "../conio.h"

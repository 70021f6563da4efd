#include "../tchar.h"

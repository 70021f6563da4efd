#include "../strsafe.h"

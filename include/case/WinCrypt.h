#include "../wincrypt.h"

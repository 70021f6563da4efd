#include "../winhttp.h"

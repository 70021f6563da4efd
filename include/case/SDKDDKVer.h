#include "../sdkddkver.h"

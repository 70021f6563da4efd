#include "../sspi.h"

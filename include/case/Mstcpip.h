#include "../mstcpip.h"

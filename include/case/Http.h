#include "../http.h"

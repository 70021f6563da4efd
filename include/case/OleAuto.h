#include "../oleauto.h"

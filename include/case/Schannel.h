#include "../schannel.h"

#include "../VersionHelpers.h"

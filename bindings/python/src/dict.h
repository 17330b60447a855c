#include "oupy.h"

// The whole C++ API.
#pragma once

#include "zerowire/context.hpp"
#include "zerowire/error.hpp"
#include "zerowire/loop_driver.hpp"
#include "zerowire/message.hpp"
#include "zerowire/monitor.hpp"
#include "zerowire/options.hpp"
#include "zerowire/proxy.hpp"
#include "zerowire/socket.hpp"

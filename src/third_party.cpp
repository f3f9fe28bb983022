// SPDX-License-Identifier: BSL-1.0
// The one place where Asio, Boost.Process and Boost.JSON are compiled.
#include <boost/asio/impl/src.hpp>
#include <boost/optional.hpp>
#include <boost/process/v2/src.hpp>

#include <boost/json/src.hpp>

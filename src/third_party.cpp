// SPDX-License-Identifier: BSL-1.0
// The one place where Asio is compiled.
#include <boost/asio/impl/src.hpp>

// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/pattern_check.hpp>
#include <vmdsl/core/pattern_cursor.hpp>
#include <vmdsl/core/shell_quote.hpp>

namespace {

namespace fs = std::filesystem;

/// Makes up shell text, most of it well-formed, with placeholders in every possible and impossible place.
class pattern_maker {
public:
    explicit pattern_maker(unsigned seed) : random_(seed) {}

    std::string make() {
        std::string text = sequence(3);
        if (below(4) == 0) {
            mutate(text);
        }
        return text;
    }

private:
    unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

    std::string sequence(unsigned depth) {
        std::string text;
        for (auto parts = 1 + below(5); parts > 0; --parts) {
            text += part(depth);
        }
        return text;
    }

    std::string part(unsigned depth) {
        const auto inner = [&] { return depth == 0 ? std::string("{}") : sequence(depth - 1); };
        switch (below(26)) {
            case 0:
                return "'" + plain() + "'";
            case 1:
                return "\"" + inner() + "\"";
            case 2:
                return "$(" + inner() + ")";
            case 3:
                return "(" + inner() + ")";
            case 4:
                return "`" + inner() + "`";
            case 5:
                return "${{x:-" + inner() + "}}";
            case 6:
                return "$((" + inner() + "))";
            case 7:
                return " #" + plain() + "\n";
            case 8:
                return "cat <<E\n" + plain() + "\nE\n";
            case 9:
                return "; case x in x) : " + inner() + ";; esac\n";
            case 10:
                return "$'" + plain() + "'";
            case 11:
                return "\\";
            case 12:
                return "$x";
            case 13:
                return "\\\n";
            case 14:
                return "#";
            case 15:
                return "<<<" + inner();
            case 16:
                return "{{ :" + inner() + "; }}";
            case 17:
                return "((" + inner() + "))";
            case 18:
                return "$((a); echo " + inner() + ")";
            case 19:
                return "\n: ";
            default:
                return plain();
        }
    }

    std::string plain() {
        constexpr std::array<std::string_view, 16> pieces{"{}", " {} ", " ",  ";", "\n", "echo", ": ", "x",
                                                          "1",  "a=",   "\"", "'", "$",  "#",    "|",  "{}"};
        std::string text;
        for (auto count = below(4); count > 0; --count) {
            text += pieces[below(pieces.size())];
        }
        return text;
    }

    void mutate(std::string& text) {
        constexpr std::string_view noise = "'\"`$()#\\ \n;{}<>|x";
        if (!text.empty()) {
            text[below(static_cast<unsigned>(text.size()))] = noise[below(noise.size())];
        }
    }

    std::mt19937 random_;
};

/// How often a placeholder stands in a pattern that the checker accepts, 0 where it accepts it for no number up to 8.
std::size_t accepted_arguments(std::string_view pattern) {
    using enum vmdsl::argument_kind;
    const auto ok = [&](std::initializer_list<vmdsl::argument_kind> kinds) {
        return check_command_pattern(pattern, kinds) == vmdsl::pattern_error::none ? kinds.size() : 0;
    };
    return ok({text}) + ok({text, text}) + ok({text, text, text}) + ok({text, text, text, text}) +
           ok({text, text, text, text, text}) + ok({text, text, text, text, text, text}) +
           ok({text, text, text, text, text, text, text}) + ok({text, text, text, text, text, text, text, text});
}

std::string filled(std::string_view pattern, std::string_view argument) {
    std::string out;
    vmdsl::detail::pattern_cursor cursor(pattern);
    for (auto token = cursor.next(); token.kind != vmdsl::detail::pattern_token_kind::end; token = cursor.next()) {
        if (token.kind == vmdsl::detail::pattern_token_kind::placeholder) {
            vmdsl::append_shell_quoted(out, argument);
        } else {
            out += token.character;
        }
    }
    return out;
}

/// An empty folder to run shells in, which can hold nothing but what they leave behind.
class sandbox {
public:
    sandbox() {
        std::string name = fs::temp_directory_path() / "vmdsl-pattern-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
    }
    ~sandbox() { fs::remove_all(folder_); }
    sandbox(const sandbox&) = delete;
    sandbox& operator=(const sandbox&) = delete;

    /// Runs the text; whether that left a file named "executed" behind.
    bool executes_arguments(const char* shell, const std::string& text) {
        const auto child = ::fork();
        BOOST_REQUIRE(child >= 0);
        if (child == 0) {
            const int nothing = ::open("/dev/null", O_RDWR);
            for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
                ::dup2(nothing, fd);
            }
            ::alarm(10);
            if (::chdir(folder_.c_str()) == 0) {
                ::execlp(shell, shell, "-c", text.c_str(), static_cast<char*>(nullptr));
            }
            ::_exit(127);
        }
        int status = 0;
        BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
        BOOST_REQUIRE(!(WIFEXITED(status) && WEXITSTATUS(status) == 127 && !fs::exists(folder_)));
        return fs::remove(folder_ / "executed");
    }

private:
    fs::path folder_;
};

constexpr std::array<std::string_view, 5> attacks{
    ";touch executed;",
    "$(touch executed)`touch executed`",
    "x\ntouch executed\n)\ntouch executed;}\ntouch executed\n",
    "a[$(touch executed)]",
    "';touch executed;'\";touch executed;\"",
};

int rounds() {
    const char* const wanted = std::getenv("VMDSL_FUZZ_ROUNDS");
    return wanted != nullptr ? std::atoi(wanted) : 300;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pattern_check)

BOOST_AUTO_TEST_CASE(the_oracle_notices_an_executed_argument) {
    sandbox box;
    for (const char* const shell : {"bash", "dash"}) {
        BOOST_TEST(box.executes_arguments(shell, filled("echo '{}'", attacks[0])));
        BOOST_TEST(box.executes_arguments(shell, filled("echo \"{}\"", attacks[1])));
        BOOST_TEST(box.executes_arguments(shell, filled("cat <<E\n{}\nE\n", attacks[1])));
        BOOST_TEST(box.executes_arguments(shell, filled("echo \\{}", attacks[2])));
        BOOST_TEST(!box.executes_arguments(shell, filled("echo {}", attacks[0])));
    }
    BOOST_TEST(box.executes_arguments("bash", filled("echo $(( {} ))", attacks[3])));
}

BOOST_AUTO_TEST_CASE(no_shell_executes_an_argument_of_an_accepted_pattern) {
    sandbox box;
    pattern_maker maker(static_cast<unsigned>(rounds()));
    for (int accepted = 0; accepted < rounds();) {
        const auto pattern = maker.make();
        if (accepted_arguments(pattern) == 0) {
            continue;
        }
        ++accepted;
        const auto attack = attacks[static_cast<std::size_t>(accepted) % attacks.size()];
        for (const char* const shell : {"bash", "dash"}) {
            BOOST_TEST_CONTEXT(shell << " running: " << filled(pattern, attack)) {
                BOOST_TEST(!box.executes_arguments(shell, filled(pattern, attack)));
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

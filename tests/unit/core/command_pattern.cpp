// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstdint>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/command_pattern.hpp>
#include <vmdsl/core/error.hpp>

namespace {

using vmdsl::command;
using vmdsl::raw;

/// What a real shell writes to its standard output.
std::string output_of(const char* shell, const std::string& text) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const auto child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        ::dup2(ends[1], STDOUT_FILENO);
        ::execlp(shell, shell, "-c", text.c_str(), static_cast<char*>(nullptr));
        ::_exit(127);
    }
    ::close(ends[1]);
    std::string out;
    std::array<char, 4096> part;
    for (auto count = ::read(ends[0], part.data(), part.size()); count > 0;
         count = ::read(ends[0], part.data(), part.size())) {
        out.append(part.data(), static_cast<std::size_t>(count));
    }
    ::close(ends[0]);
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return out;
}

/// Prints its arguments, each ended by a line "|".
std::string words_in(const char* shell, const std::string& words) {
    return output_of(shell, "printf '%s\\n|\\n' " + words);
}

std::string random_word(std::mt19937& random) {
    constexpr std::string_view pool = "'\"\\$`;&|<>(){}[]*?!~# \n\tab%=,.-+@:\x01\x7F\x80\xC3\xFF";
    std::string word;
    for (auto length = random() % 24; length > 0; --length) {
        word += pool[random() % pool.size()];
    }
    return word;
}

/// The shape of the verbs that take a pattern.
struct recorder {
    std::string text;
    vmdsl::source_location where;

    template <class First, class... Rest>
    recorder& run(std::type_identity_t<vmdsl::shell_format_string<First, Rest...>> pattern, const First& first,
                  const Rest&... rest) {
        where = pattern.where();
        text = command<First, Rest...>(pattern, first, rest...);
        return *this;
    }
    recorder& run(std::string_view verbatim) {
        text = command(verbatim);
        return *this;
    }
};

template <class Value>
std::string in_a_template(recorder& to, const Value& value) {
    return to.run("echo {}", value).text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(command_pattern)

BOOST_AUTO_TEST_CASE(each_argument_becomes_one_word) {
    const std::string url = "http://web/a?b=1&c=2";
    BOOST_TEST(command("curl -f {}", url) == "curl -f 'http://web/a?b=1&c=2'");
    BOOST_TEST(command("svn checkout {} wc", "http://webserver/repos/demo") ==
               "svn checkout http://webserver/repos/demo wc");
    BOOST_TEST(command("cd wc && svn commit -m {}", "it's quoted for me") ==
               "cd wc && svn commit -m 'it'\\''s quoted for me'");
    BOOST_TEST(command("printf '%s\\n' {} > {}", "a;b", "/tmp/o") == "printf '%s\\n' 'a;b' > /tmp/o");
    BOOST_TEST(command("x {}", "") == "x ''");
}

BOOST_AUTO_TEST_CASE(all_kinds_of_text_are_taken) {
    const char* const pointer = "a b";
    char buffer[8] = "c d";
    BOOST_TEST(command("{} {} {} {}", pointer, buffer, std::string_view("e f"), std::filesystem::path("/tmp/g h")) ==
               "'a b' 'c d' 'e f' '/tmp/g h'");
}

BOOST_AUTO_TEST_CASE(a_range_of_texts_becomes_as_many_words) {
    const std::vector<std::string> words{"x y", "z", "it's", ""};
    BOOST_TEST(command("ls {}", words) == "ls 'x y' z 'it'\\''s' ''");
    BOOST_TEST(command("ls {} end", std::vector<std::string>{}) == "ls  end");
    BOOST_TEST(command("ls {}", std::set<std::filesystem::path>{"/b c", "/a"}) == "ls /a '/b c'");
    const std::array<const char*, 2> pointers{"a", "b;"};
    BOOST_TEST(command("ls {}", pointers) == "ls a 'b;'");
}

BOOST_AUTO_TEST_CASE(numbers_may_have_a_format) {
    BOOST_TEST(command("sleep {}", 3) == "sleep 3");
    BOOST_TEST(command("echo {:.1f} {:>4} {:04} {:#x}", 1.25, 7, 42, 255U) == "echo 1.2    7 0042 0xff");
    BOOST_TEST(command("echo {} {} {}", std::uint8_t{200}, std::int8_t{-3}, INT64_MIN) ==
               "echo 200 -3 -9223372036854775808");
}

BOOST_AUTO_TEST_CASE(raw_text_is_inserted_as_it_is) {
    BOOST_TEST(command("ls {} {}", "a b", raw("| wc -l")) == "ls 'a b' | wc -l");
    BOOST_TEST(command("ls {}", raw{"*.txt"}) == "ls *.txt");
    BOOST_TEST(command("ls {}", raw(std::string("*") + ".txt")) == "ls *.txt");
}

BOOST_AUTO_TEST_CASE(doubled_braces_are_the_shells) {
    BOOST_TEST(command("awk '{{print $1}}' {}", "f") == "awk '{print $1}' f");
    BOOST_TEST(command("echo ${{HOME}}{}", "/x") == "echo ${HOME}/x");
}

BOOST_AUTO_TEST_CASE(without_arguments_nothing_is_changed) {
    recorder to;
    BOOST_TEST(to.run("awk '{print $1}' /etc/passwd").text == "awk '{print $1}' /etc/passwd");
    BOOST_TEST(to.run("find . -exec rm {} \\;").text == "find . -exec rm {} \\;");
    const std::string at_run_time = "echo '{}";
    BOOST_TEST(to.run(at_run_time).text == "echo '{}");
}

BOOST_AUTO_TEST_CASE(verbs_know_where_they_were_called) {
    recorder to;
    BOOST_TEST(to.run("echo {}", "a b").text == "echo 'a b'");
    BOOST_TEST(to.where.line() == static_cast<unsigned>(__LINE__ - 1));
    BOOST_TEST(in_a_template(to, "c d") == "echo 'c d'");
    BOOST_TEST(in_a_template(to, 4) == "echo 4");
}

BOOST_AUTO_TEST_CASE(what_no_shell_can_take_is_refused) {
    const char* const nothing = nullptr;
    BOOST_CHECK_THROW((void)command("echo {}", nothing), vmdsl::usage_error);
    BOOST_CHECK_THROW((void)command("echo {}", std::string("a\0b", 3)), vmdsl::usage_error);
    BOOST_CHECK_THROW(raw(std::string_view("a\0b", 3)), vmdsl::usage_error);
}

BOOST_AUTO_TEST_CASE(real_shells_read_back_every_byte) {
    std::string all;
    for (int byte = 1; byte < 256; ++byte) {
        all += static_cast<char>(byte);
    }
    for (const char* const shell : {"bash", "dash"}) {
        BOOST_TEST(output_of(shell, command("printf %s {}", all)) == all);
    }
}

BOOST_AUTO_TEST_CASE(real_shells_read_back_hostile_words) {
    std::mt19937 random(42);
    std::vector<std::string> words{"-n", "if", "a=b", "~",   "~root", "{a,b}",  "1..3",
                                   "*",  "'",  "''",  "\\'", "\n",    "$(exit)"};
    for (int i = 0; i < 2000; ++i) {
        words.push_back(random_word(random));
    }
    std::string expected;
    for (const auto& word : words) {
        expected += word + "\n|\n";
    }
    for (const char* const shell : {"bash", "dash"}) {
        BOOST_TEST(words_in(shell, command("{}", words)) == expected);
    }
}

BOOST_AUTO_TEST_CASE(a_word_stays_a_word_wherever_a_pattern_may_put_it) {
    std::mt19937 random(43);
    for (int round = 0; round < 40; ++round) {
        const auto word = random_word(random);
        const auto other = random_word(random);
        for (const char* const shell : {"bash", "dash"}) {
            BOOST_TEST_CONTEXT(shell << " with " << word << " and " << other) {
                BOOST_TEST(words_in(shell, command("--a={}/{} # comment", word, other)) ==
                           "--a=" + word + "/" + other + "\n|\n");
                BOOST_TEST(output_of(shell, command("x={}; y=$(printf '%s|' {}); printf '%s' \"$x$y\"", word, other)) ==
                           word + other + "|");
                BOOST_TEST(output_of(shell, command("case {} in {}) printf yes;; *) printf no;; esac", word, word)) ==
                           "yes");
                BOOST_TEST(output_of(shell, command("(printf '%s' {} && {{ printf '%s' {}; }} | cat)", word, other)) ==
                           word + other);
                BOOST_TEST(output_of(shell, command("cat <<EOF; printf '%s' {}\nit's\nEOF", word)) == "it's\n" + word);
                BOOST_TEST(output_of(shell, command("printf '%s' {}\"$((1+(2*3)))\"{} \\\n | cat", word, other)) ==
                           word + "7" + other);
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

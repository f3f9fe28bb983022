// SPDX-License-Identifier: BSL-1.0
#include <initializer_list>
#include <string_view>

#include <vmdsl/core/pattern_check.hpp>

namespace {

using vmdsl::argument_kind;
using vmdsl::pattern_error;

constexpr auto text = argument_kind::text;
constexpr auto number = argument_kind::number;

constexpr pattern_error check(std::string_view pattern, std::initializer_list<argument_kind> arguments = {text}) {
    return vmdsl::check_command_pattern(pattern, arguments);
}

constexpr bool accepts(std::string_view pattern, std::initializer_list<argument_kind> arguments = {text}) {
    return check(pattern, arguments) == pattern_error::none;
}

// Words, and parts of words.
static_assert(accepts("curl -f {}"));
static_assert(accepts("{}"));
static_assert(accepts("--file={}"));
static_assert(accepts("{}/sub/{}.txt", {text, text}));
static_assert(accepts("printf '%s\\n' {} > {}", {text, text}));
static_assert(accepts("a {}\nb {} # done\nc {}", {text, text, text}));
static_assert(accepts("true", {}));

// Quotes, comments and escapes beside a placeholder do it no harm.
static_assert(accepts("grep 'it is' {}"));
static_assert(accepts("echo \"a 'b' c\" {}"));
static_assert(accepts("echo 'a \"b\" c' {}"));
static_assert(accepts("echo \"a \\\" b\" {}"));
static_assert(accepts("echo 'a\\' {}"));
static_assert(accepts("echo it\\'s {}"));
static_assert(accepts("echo \\\\{}"));
static_assert(accepts("echo a#b {}"));
static_assert(accepts("echo '# no comment' {}"));
static_assert(accepts("echo \\# {}"));
static_assert(accepts("# it's a comment\necho {}"));
static_assert(accepts("echo \"$x\"{}'y'"));
static_assert(accepts("echo one \\\n  {} \\\n  two"));

// Braces of the shell's own.
static_assert(accepts("awk '{{print $1}}' {}"));
static_assert(accepts("echo ${{HOME}} {}"));
static_assert(accepts("echo ${{name}}{}"));
static_assert(accepts("for i in {{1..3}}; do echo {}; done"));
static_assert(accepts("{{ cat {}; }} | wc"));
static_assert(accepts("echo {{}} {}"));

// Commands inside of commands.
static_assert(accepts("echo $(cat {})"));
static_assert(accepts("echo $('cat' {})"));
static_assert(accepts("(cd {} && make)"));
static_assert(accepts("diff <(sort {}) <(sort {})", {text, text}));
static_assert(accepts("echo $({} --version)"));
static_assert(accepts("echo \"$(date)\" {}"));
static_assert(accepts("echo \"$(echo \")\")\" {}"));
static_assert(accepts("echo \"$(echo '\"')\" {}"));
static_assert(accepts("echo `date` {}"));
static_assert(accepts("echo `echo \\`date\\`` {}"));
static_assert(accepts("echo ${{x:-\"a b\"}} {}"));
static_assert(accepts("echo ${{x#'}}'}} {}"));
static_assert(accepts("echo \"${{x:-$y}}\" {}"));
static_assert(accepts("echo ${{#x}} $# {}"));
static_assert(accepts("echo $((1 + (2 * 3))) {}"));
static_assert(accepts("echo $((16#ff + $x)) {}"));
static_assert(accepts("((x > 3)) && echo {}"));
static_assert(accepts("case $x in a) echo {};; (b) echo {};; esac", {text, text}));
static_assert(accepts("case {} in 'a)') true;; esac"));

// Redirections and here-strings.
static_assert(accepts("cat < {} >> {} 2>&1", {text, text}));
static_assert(accepts("cat <<< {}"));
static_assert(accepts("cat {} <<EOF\nit's literal\nEOF"));
static_assert(accepts("cat <<-'EOF' > {}\n\"\nEOF"));
static_assert(accepts("echo {} &> log"));

// Numbers may have a format spec.
static_assert(accepts("sleep {}", {number}));
static_assert(accepts("printf {:04} {:>6.2f} {:#x}", {number, number, number}));
static_assert(check("echo {:>10}", {text}) == pattern_error::bad_format_spec);
static_assert(check("echo {:'>10}", {number}) == pattern_error::bad_format_spec);
static_assert(check("echo {:#<10}", {number}) == pattern_error::bad_format_spec);
static_assert(check("echo {:<<10}", {number}) == pattern_error::bad_format_spec);
static_assert(check("echo {:c}", {number}) == pattern_error::bad_format_spec);
static_assert(check("echo {:L}", {number}) == pattern_error::bad_format_spec);
static_assert(check("echo {:;}", {number}) == pattern_error::bad_format_spec);

static_assert(check("grep '{}' f") == pattern_error::inside_quotes);
static_assert(check("sh -c \"echo {}\"") == pattern_error::inside_quotes);
static_assert(check("echo $'{}'") == pattern_error::inside_quotes);
static_assert(check("echo $\"{}\"") == pattern_error::inside_quotes);
static_assert(check("echo \"$(cat {})\"") == pattern_error::inside_quotes);
static_assert(check("echo \"$(cat \"{}\")\"") == pattern_error::inside_quotes);
static_assert(check("echo \"`cat {}`\"") == pattern_error::inside_quotes);
static_assert(check("echo \"${{x:-{}}}\"") == pattern_error::inside_quotes);
static_assert(check("echo '\\' '{}'") == pattern_error::inside_quotes);
static_assert(check("echo \"\\{}\"") == pattern_error::inside_quotes);
static_assert(check("echo \"a\\\\\" \"{}\"") == pattern_error::inside_quotes);
static_assert(check("echo a#' {}'") == pattern_error::inside_quotes);

static_assert(check("echo `cat {}`") == pattern_error::inside_backquotes);
static_assert(check("echo `echo \\`cat {}\\``") == pattern_error::inside_backquotes);
static_assert(check("echo `cat '{}'`") == pattern_error::inside_backquotes);

static_assert(check("echo ${{x:-{}}}") == pattern_error::inside_expansion);
static_assert(check("echo ${{x:-$(cat {})}}") == pattern_error::inside_expansion);
static_assert(check("echo $(( {} + 1 ))") == pattern_error::inside_expansion);
static_assert(check("echo $(( (1 + {}) ))") == pattern_error::inside_expansion);
static_assert(check("(( {} > 3 ))") == pattern_error::inside_expansion);

static_assert(check("true # {}") == pattern_error::inside_comment);
static_assert(check("# {}") == pattern_error::inside_comment);
static_assert(check("true;# {}") == pattern_error::inside_comment);
static_assert(check("echo $(true # {}\n)") == pattern_error::inside_comment);

static_assert(check("cat <<EOF\n{}\nEOF") == pattern_error::inside_here_document);
static_assert(check("cat <<-'EOF'\n{}\nEOF") == pattern_error::inside_here_document);
static_assert(check("cat << EOF\nit's\nEOF\necho {}") == pattern_error::inside_here_document);
static_assert(check("cat <<{}\nx") == pattern_error::inside_here_document);
static_assert(check("echo $(cat <<EOF\n{}\nEOF\n)") == pattern_error::inside_here_document);
static_assert(check("cat <<EOF 'a\n{}") == pattern_error::inside_here_document);

static_assert(check("echo \\{}") == pattern_error::after_backslash);
static_assert(check("echo \\\\\\{}") == pattern_error::after_backslash);
static_assert(check("echo $(echo \\{})") == pattern_error::after_backslash);

static_assert(check("echo ${}") == pattern_error::joined_to_expansion);
static_assert(check("echo $$ $${}") == pattern_error::joined_to_expansion);
static_assert(check("echo $name{}") == pattern_error::joined_to_expansion);
static_assert(check("echo $1{}") == pattern_error::joined_to_expansion);
static_assert(check("ls ~{}") == pattern_error::joined_to_expansion);
static_assert(accepts("echo $name/{} ~/{} $?{} \\~{} \\${}", {text, text, text, text, text}));

static_assert(check("echo {}>f") == pattern_error::joined_to_redirection);
static_assert(check("echo {}<f") == pattern_error::joined_to_redirection);
static_assert(check("echo {}1>f") == pattern_error::joined_to_redirection);
static_assert(check("echo 1{}>&2") == pattern_error::joined_to_redirection);
static_assert(check("echo {}\\\n>f") == pattern_error::joined_to_redirection);
static_assert(accepts("echo {} >f"));

static_assert(check("curl {0}") == pattern_error::not_positional);
static_assert(check("curl {url}") == pattern_error::not_positional);
static_assert(check("awk {print}") == pattern_error::not_positional);
static_assert(check("curl {") == pattern_error::not_positional);
static_assert(check("curl }") == pattern_error::not_positional);
static_assert(check("curl {} }") == pattern_error::not_positional);
static_assert(check("curl {:{}}", {number}) == pattern_error::not_positional);
static_assert(check("curl {:}") == pattern_error::not_positional);
static_assert(check("curl {}}", {text}) == pattern_error::not_positional);

static_assert(check("echo {} 'abc") == pattern_error::unterminated);
static_assert(check("echo {} \"abc") == pattern_error::unterminated);
static_assert(check("echo {} `abc") == pattern_error::unterminated);
static_assert(check("echo {} $(abc") == pattern_error::unterminated);
static_assert(check("(cd {}") == pattern_error::unterminated);
static_assert(check("echo {} ${{x") == pattern_error::unterminated);
static_assert(check("echo {} $((1") == pattern_error::unterminated);
static_assert(check("echo {} \\") == pattern_error::unterminated);
static_assert(check("echo {} \"abc\\") == pattern_error::unterminated);

// What bash and dash read differently, or what only a whole shell can follow.
static_assert(check("echo $'it\\'s' {}") == pattern_error::too_complex);
static_assert(check("echo \"${{x:-'}}\" {}") == pattern_error::too_complex);
static_assert(check("echo \"${{x:-\"y\"}}\" {}") == pattern_error::too_complex);
static_assert(check("echo \"$(case x in a) echo;; esac)\" {}") == pattern_error::too_complex);
static_assert(check("(a)#'b\n{}'") == pattern_error::too_complex);
static_assert(check("$(a)#'b\n{}'") == pattern_error::too_complex);
static_assert(check("$((a) # )'\n; echo '{}')") == pattern_error::too_complex);
static_assert(check("((a) || (b)); echo {}") == pattern_error::too_complex);
static_assert(check("echo $((a # b)) {}") == pattern_error::too_complex);
static_assert(check("echo $(( 'a' )) {}") == pattern_error::too_complex);
static_assert(check("echo $[1 + {}]") == pattern_error::too_complex);
static_assert(check("echo $\\\n({})") == pattern_error::too_complex);
static_assert(check("cat <\\\n<EOF\n{}") == pattern_error::too_complex);
static_assert(check("echo $na\\\nme{}") == pattern_error::too_complex);
static_assert(check("(((((((((((((((((( {}") == pattern_error::too_complex);
static_assert(check("( ( ( ( ( ( ( ( ( ( ( ( ( ( ( ( ( ( {}") == pattern_error::too_complex);

static_assert(check("curl {} {}") == pattern_error::more_placeholders_than_arguments);
static_assert(check("curl {}", {}) == pattern_error::more_placeholders_than_arguments);
static_assert(check("curl {}", {text, text}) == pattern_error::fewer_placeholders_than_arguments);
static_assert(check("find . -exec rm {{}} \\;", {text}) == pattern_error::fewer_placeholders_than_arguments);

}  // namespace

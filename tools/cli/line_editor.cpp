// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#ifdef VMDSL_HAS_LIBEDIT
#include <histedit.h>
#endif

#include "line_editor.hpp"

namespace vmdsl::cli {

#ifdef VMDSL_HAS_LIBEDIT

namespace {

constexpr int longest_history = 1000;

/// $XDG_STATE_HOME/vmdsl/history, else below ~/.local/state. Empty where no folder can be made for it.
std::string history_file() {
    const char* state = std::getenv("XDG_STATE_HOME");
    const char* home = std::getenv("HOME");
    if (home == nullptr && state == nullptr) {
        return {};
    }
    const auto base = state != nullptr && *state != '\0' ? std::filesystem::path(state)
                                                         : std::filesystem::path(home) / ".local" / "state";
    std::error_code ec;
    std::filesystem::create_directories(base / "vmdsl", ec);
    return ec ? std::string() : (base / "vmdsl" / "history").string();
}

std::string common_beginning(const std::vector<std::string>& texts) {
    auto common = texts.front();
    for (const auto& each : texts) {
        const auto differs = std::mismatch(common.begin(), common.end(), each.begin(), each.end()).first;
        common.erase(differs, common.end());
    }
    return common;
}

}  // namespace

struct line_editor::implementation {
    implementation(std::string text, completer candidates)
        : prompt(std::move(text)), complete(std::move(candidates)), file(history_file()) {
        std::setlocale(LC_CTYPE, "");
        el_set(editor, EL_CLIENTDATA, this);
        el_set(editor, EL_PROMPT, &prompt_of);
        el_set(editor, EL_EDITOR, "emacs");
        el_set(editor, EL_HIST, history, lines);
        el_set(editor, EL_ADDFN, "vmdsl-complete", "complete the word", &complete_word);
        el_set(editor, EL_BIND, "^I", "vmdsl-complete", nullptr);
        el_source(editor, nullptr);  // ~/.editrc
        HistEvent event{};
        history(lines, &event, H_SETSIZE, longest_history);
        history(lines, &event, H_SETUNIQUE, 1);
        if (!file.empty()) {
            history(lines, &event, H_LOAD, file.c_str());
        }
    }
    ~implementation() {
        el_end(editor);
        history_end(lines);
    }
    implementation(const implementation&) = delete;
    implementation& operator=(const implementation&) = delete;

    static implementation& of(EditLine* editor) {
        void* self = nullptr;
        el_get(editor, EL_CLIENTDATA, &self);
        return *static_cast<implementation*>(self);
    }

    static char* prompt_of(EditLine* editor) { return of(editor).prompt.data(); }

    static unsigned char complete_word(EditLine* editor, int /*key*/) {
        const auto* const line = el_line(editor);
        const std::string beginning(line->buffer, line->cursor);
        const auto found = of(editor).complete(beginning);
        if (found.empty()) {
            return CC_ERROR;
        }
        const auto typed = beginning.size() - std::min(beginning.find_last_of(' ') + 1, beginning.size());
        auto more = common_beginning(found).substr(typed);
        if (found.size() == 1) {
            more += ' ';
        }
        if (!more.empty()) {
            return el_insertstr(editor, more.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
        }
        std::cout << '\n';
        for (const auto& each : found) {
            std::cout << each << "  ";
        }
        std::cout << std::endl;
        return CC_REDISPLAY;
    }

    void remember(const std::string& line) {
        HistEvent event{};
        history(lines, &event, H_ENTER, line.c_str());
        if (!file.empty()) {
            history(lines, &event, H_SAVE, file.c_str());  // at once: a signal may end us at any time
            ::chmod(file.c_str(), 0600);
        }
    }

    std::string prompt;
    completer complete;
    std::string file;
    EditLine* editor = el_init("vmdsl", stdin, stdout, stderr);
    History* lines = history_init();
};

#else

struct line_editor::implementation {
    implementation(std::string text, completer /*candidates*/) : prompt(std::move(text)) {}

    std::string prompt;
};

#endif

line_editor::line_editor(std::string prompt, completer complete) {
    if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) {
        impl_ = std::make_unique<implementation>(std::move(prompt), std::move(complete));
    }
}

line_editor::~line_editor() = default;

std::optional<std::string> line_editor::read() {
    std::string line;
#ifdef VMDSL_HAS_LIBEDIT
    if (impl_) {
        el_resize(impl_->editor);
        // Before the prompt is shown: else a Ctrl-D that answers it at once is no key, and comes as a zero byte.
        el_set(impl_->editor, EL_PREP_TERM, 1);
        int count = 0;
        const char* text = el_gets(impl_->editor, &count);
        if (text == nullptr || count <= 0) {
            std::cout << std::endl;
            return std::nullopt;
        }
        line.assign(text, static_cast<std::size_t>(count));
        line.erase(line.find_last_not_of("\r\n") + 1);
        if (line.find_first_not_of(' ') != std::string::npos) {
            impl_->remember(line);
        }
        return line;
    }
#endif
    if (impl_) {
        std::cout << impl_->prompt << std::flush;
    }
    if (!std::getline(std::cin, line)) {
        return std::nullopt;
    }
    return line;
}

}  // namespace vmdsl::cli

/*
 * Wide C++ streams under -fshort-wchar. Numbers in a wostringstream go through tables and virtual functions that
 * libstdc++ compiled for a 32-bit wchar_t; these specialisations take their place. <windows.h> includes this file.
 * std::wcout and wide file streams are objects of libstdc++ and stay 32-bit: use wprintf.
 */
#ifndef NTHTTP_STREAMS_H
#define NTHTTP_STREAMS_H

#if defined(__cplusplus) && __SIZEOF_WCHAR_T__ == 2 && !defined(_WIN32)

extern "C++" {
#include <locale>

#ifdef __GLIBCXX__
namespace std {

template <>
inline const char *__ctype_abstract_base<wchar_t>::widen(const char *low, const char *high, wchar_t *to) const {
    for (; low < high; ++low, ++to) {
        *to = this->widen(*low);
    }
    return high;
}

template <>
inline const wchar_t *__ctype_abstract_base<wchar_t>::narrow(const wchar_t *low, const wchar_t *high, char other, char *to) const {
    for (; low < high; ++low, ++to) {
        *to = this->narrow(*low, other);
    }
    return high;
}

/* The punctuation of the classic locale, whatever locale the stream has. */
template <>
struct __use_cache<__numpunct_cache<wchar_t>> {
    struct classic : __numpunct_cache<wchar_t> {
        classic() : __numpunct_cache<wchar_t>(1) {
            _M_grouping = "";
            _M_grouping_size = 0;
            _M_use_grouping = false;
            _M_truename = L"true";
            _M_truename_size = 4;
            _M_falsename = L"false";
            _M_falsename_size = 5;
            _M_decimal_point = L'.';
            _M_thousands_sep = L',';
            for (int i = 0; i < __num_base::_S_oend; ++i) {
                _M_atoms_out[i] = static_cast<wchar_t>(__num_base::_S_atoms_out[i]);
            }
            for (int i = 0; i < __num_base::_S_iend; ++i) {
                _M_atoms_in[i] = static_cast<wchar_t>(__num_base::_S_atoms_in[i]);
            }
        }
    };

    const __numpunct_cache<wchar_t> *operator()(const locale &) const {
        static const classic cache;
        return &cache;
    }
};

/* Instantiated here, so that a locale of libstdc++ finds these and not its own. */
template class num_put<wchar_t>;
template class num_get<wchar_t>;

}
#endif
}

#endif

#endif

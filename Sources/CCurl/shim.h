#ifndef SYNCLEDGER_CCURL_SHIM_H
#define SYNCLEDGER_CCURL_SHIM_H

#include <curl/curl.h>

// CURLOPT_PREREQFUNCTION came with 7.80, CURLOPT_PROTOCOLS_STR with 7.85 and
// CURLOPT_QUICK_EXIT with 7.87. Transport's promises rest on all three.
#if LIBCURL_VERSION_NUM < 0x075700
#error "SyncLedger needs libcurl 7.87 or newer"
#endif

// Swift cannot call a variadic C function. Each shim fixes the type of the one
// argument that varies, and so the family of options it is good for.

static inline CURLcode shim_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode shim_curl_set_size(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

// libcurl copies the string, for every string option but CURLOPT_POSTFIELDS.
static inline CURLcode shim_curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode shim_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

// Copies exactly as many bytes as CURLOPT_POSTFIELDSIZE_LARGE said before.
static inline CURLcode shim_curl_set_copied_body(CURL *easy, const void *bytes) {
    return curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, bytes);
}

// libcurl keeps the list: it must outlive the transfer.
static inline CURLcode shim_curl_set_list(
    CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode shim_curl_set_write_callback(
    CURL *easy, CURLoption option, curl_write_callback callback) {
    return curl_easy_setopt(easy, option, callback);
}

static inline CURLcode shim_curl_set_before_request_callback(
    CURL *easy, curl_prereq_callback callback) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, callback);
}

static inline CURLcode shim_curl_set_open_socket_callback(
    CURL *easy, curl_opensocket_callback callback) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, callback);
}

static inline CURLcode shim_curl_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode shim_curl_get_size(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode shim_curl_get_pointer(CURL *easy, CURLINFO info, void **value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode shim_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// Macros that Swift does not import.

static inline CURLcode shim_curl_global_init(void) {
    return curl_global_init(CURL_GLOBAL_DEFAULT);
}

static inline curl_socket_t shim_curl_no_socket(void) {
    return CURL_SOCKET_BAD;
}

#endif

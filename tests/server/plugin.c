/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An OpenVPN plugin that tells the server's process, which has loaded it,
 * which clients were reported as connected and as disconnected, and with how
 * many bytes.
 */
#include "openvpn-plugin.h"

/* in the executable that loads this */
#include "check.h"
#include "scene.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

OPENVPN_EXPORT openvpn_plugin_handle_t
openvpn_plugin_open_v1(unsigned int *type_mask, const char *argv[], const char *envp[])
{
    static int handle;
    *type_mask = OPENVPN_PLUGIN_MASK(OPENVPN_PLUGIN_CLIENT_CONNECT)
                 | OPENVPN_PLUGIN_MASK(OPENVPN_PLUGIN_CLIENT_CONNECT_DEFER)
                 | OPENVPN_PLUGIN_MASK(OPENVPN_PLUGIN_CLIENT_DISCONNECT);
    return &handle;
}

OPENVPN_EXPORT void
openvpn_plugin_close_v1(openvpn_plugin_handle_t handle)
{
}

OPENVPN_EXPORT void *
openvpn_plugin_client_constructor_v1(openvpn_plugin_handle_t handle)
{
    return report_new();
}

OPENVPN_EXPORT void
openvpn_plugin_client_destructor_v1(openvpn_plugin_handle_t handle, void *client)
{
}

static const char *
value(const char *envp[], const char *name)
{
    const size_t length = strlen(name);
    while (*envp && (strncmp(*envp, name, length) || (*envp)[length] != '='))
        ++envp;
    return *envp ? *envp + length + 1 : "";
}

OPENVPN_EXPORT int
openvpn_plugin_func_v2(openvpn_plugin_handle_t handle, const int type, const char *argv[],
                       const char *envp[], void *client,
                       struct openvpn_plugin_string_list **return_list)
{
    if (type == OPENVPN_PLUGIN_CLIENT_CONNECT)
    {
        const enum answer answer = scene_answer();
        if (answer == ANSWER_DEFERRED)
            return OPENVPN_PLUGIN_FUNC_DEFERRED;
        report_connected(client);
        return answer == ANSWER_REFUSED ? OPENVPN_PLUGIN_FUNC_ERROR : OPENVPN_PLUGIN_FUNC_SUCCESS;
    }
    if (type == OPENVPN_PLUGIN_CLIENT_CONNECT_DEFER)
        return OPENVPN_PLUGIN_FUNC_DEFERRED;
    struct in_addr in = { 0 };
    inet_pton(AF_INET, value(envp, "trusted_ip"), &in);
    report_disconnected(client, ntohl(in.s_addr), strtoull(value(envp, "bytes_received"), NULL, 10),
                        strtoull(value(envp, "bytes_sent"), NULL, 10));
    return OPENVPN_PLUGIN_FUNC_SUCCESS;
}

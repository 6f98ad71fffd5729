/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * What else of OpenVPN multi.c, forward.c and the event loops need, for drivers
 * that link these: the linker wants it, but no case gets there.  One that does
 * fails.  Anything else that is linked takes precedence.
 */

/* nothing of OpenVPN: these have not the right types */
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define UNUSED(name)                                    \
    void __attribute__((weak)) name(void);              \
    void __attribute__((weak)) name(void)               \
    {                                                   \
        fail_msg("%s() was called", #name);             \
    }

/* what does nothing but answer */
#define ANSWER(name, value)                             \
    intptr_t __attribute__((weak)) name(void);          \
    intptr_t __attribute__((weak)) name(void)           \
    {                                                   \
        return (intptr_t)(value);                       \
    }
#define IGNORED(name) ANSWER(name, 0)

#define UNUSED_DATA(name)                               \
    extern void *name[4];                               \
    void *__attribute__((weak)) name[4];

/* *INDENT-OFF* */
    UNUSED(argv_free) UNUSED(argv_new) UNUSED(argv_parse_cmd) UNUSED(argv_printf)
    UNUSED(argv_printf_cat) UNUSED(ask_gremlin) UNUSED(auth_set_client_reason)
    UNUSED(calculate_session_id_hmac) UNUSED(cert_hash_compare) UNUSED(check_send_auth_token)
    UNUSED(check_send_occ_load_test_dowork) UNUSED(check_send_occ_msg_dowork)
    UNUSED(check_send_occ_req_dowork) UNUSED(check_session_hmac_and_pkt_id)
    UNUSED(check_session_id_hmac) UNUSED(client_nat_transform) UNUSED(comp_print_stats)
    UNUSED(corrupt_gremlin) UNUSED(dco_install_iroute) UNUSED(dhcp_extract_router_msg)
    UNUSED(do_route) UNUSED(event_set_init) UNUSED(extract_command_buffer)
    UNUSED(fragment_incoming) UNUSED(fragment_outgoing) UNUSED(fragment_ready_to_send)
    UNUSED(fragment_wakeup) UNUSED(frame_adjust_path_mtu) UNUSED(free_tls_pre_decrypt_state)
    UNUSED(get_packet_flood_parms) UNUSED(ifconfig_pool_acquire) UNUSED(ifconfig_pool_init)
    UNUSED(ifconfig_pool_read) UNUSED(ifconfig_pool_write) UNUSED(ifconfig_pool_write_trigger)
    UNUSED(incoming_push_message)
    UNUSED(initialization_sequence_completed) UNUSED(ip_checksum) UNUSED(is_hard_reset_method2)
    UNUSED(is_ipv4) UNUSED(is_ipv6) UNUSED(link_socket_bad_incoming_addr)
    UNUSED(link_socket_bad_outgoing_addr) UNUSED(link_socket_connection_initiated)
    UNUSED(link_socket_read_tcp) UNUSED(link_socket_read_udp_posix) UNUSED(link_socket_write_tcp)
    UNUSED(link_socket_write_udp_posix_sendmsg) UNUSED(man_bytecount_output_server)
    UNUSED(management_connection_established) UNUSED(management_io) UNUSED(management_learn_addr)
    UNUSED(management_set_callback) UNUSED(management_show_net_callback) UNUSED(management_sleep)
    UNUSED(md_kt_size) UNUSED(mroute_addr_compare_function) UNUSED(mroute_addr_hash_function)
    UNUSED(mroute_addr_mask_host_bits) UNUSED(mroute_extract_addr_ether)
    UNUSED(mroute_extract_addr_ip) UNUSED(mroute_helper_add_iroute46)
    UNUSED(mroute_helper_del_iroute46) UNUSED(mroute_learnable_address) UNUSED(mss_fixup_ipv4)
    UNUSED(mss_fixup_ipv6) UNUSED(ncp_get_best_cipher) UNUSED(net_route_v4_del)
    UNUSED(net_route_v6_del) UNUSED(openvpn_decrypt) UNUSED(openvpn_encrypt)
    UNUSED(openvpn_execve_check) UNUSED(options_server_import) UNUSED(options_string_import)
    UNUSED(packet_id_persist_save) UNUSED(packet_id_read) UNUSED(port_share_redirect)
    UNUSED(print_in6_addr) UNUSED(print_in_addr_t) UNUSED(print_link_socket_actual)
    UNUSED(process_incoming_push_request) UNUSED(process_received_occ_msg) UNUSED(proto2ascii)
    UNUSED(protocol_dump) UNUSED(push_option) UNUSED(read_tun) UNUSED(receive_auth_failed)
    UNUSED(receive_auth_pending) UNUSED(receive_cr_response) UNUSED(receive_exit_message)
    UNUSED(reflect_filter_rate_limit_check) UNUSED(reflect_filter_rate_limit_decrease)
    UNUSED(reset_coarse_timers) UNUSED(route_list_add_vpn_gateway)
    UNUSED(sanitize_control_message) UNUSED(send_auth_failed) UNUSED(send_auth_pending_messages)
    UNUSED(send_push_request) UNUSED(send_restart) UNUSED(server_pushed_info)
    UNUSED(server_pushed_signal) UNUSED(session_skip_to_pre_start) UNUSED(setenv_in6_addr)
    UNUSED(setenv_in_addr_t) UNUSED(shaper_soonest_event) UNUSED(socket_listen_event_handle)
    UNUSED(socket_stat) UNUSED(socks_process_incoming_udp) UNUSED(socks_process_outgoing_udp)
    UNUSED(status_close) UNUSED(status_flush) UNUSED(status_open) UNUSED(status_printf)
    UNUSED(status_reset) UNUSED(status_trigger) UNUSED(stream_buf_read_setup_dowork)
    UNUSED(title_string) UNUSED(tls_authenticate_key) UNUSED(tls_peer_ncp_list)
    UNUSED(tls_post_encrypt) UNUSED(tls_pre_decrypt) UNUSED(tls_pre_decrypt_lite)
    UNUSED(tls_pre_encrypt) UNUSED(tls_prepend_opcode_v1) UNUSED(tls_prepend_opcode_v2)
    UNUSED(tls_rec_payload) UNUSED(tls_reset_standalone) UNUSED(tls_send_payload)
    UNUSED(tls_session_soft_reset) UNUSED(tls_update_remote_addr) UNUSED(tls_username)
    UNUSED(translate_cipher_name_to_openvpn) UNUSED(tun_stat) UNUSED(vlan_decapsulate)
    UNUSED(vlan_is_tagged) UNUSED(vlan_process_outgoing_tun) UNUSED(write_tun)

    IGNORED(close_instance) IGNORED(dco_delete_iroutes) IGNORED(ifconfig_pool_free)
    IGNORED(ifconfig_pool_release) IGNORED(initial_rate_limit_free)
    IGNORED(initial_rate_limit_init) IGNORED(management_check_bytecount)
    IGNORED(management_notify_client_close) IGNORED(management_set_state)
    IGNORED(management_socket_set) IGNORED(mroute_extract_openvpn_sockaddr)
    IGNORED(mroute_helper_free) IGNORED(mroute_helper_init) IGNORED(persist_client_stats)
    IGNORED(plugin_return_free) IGNORED(remove_iroutes_from_push_route_list)
    IGNORED(setenv_trusted) IGNORED(tls_lock_cert_hash_set) IGNORED(tls_lock_common_name)
    IGNORED(tls_multi_process) IGNORED(uninit_management_callback) IGNORED(x_check_status)

    ANSWER(check_compression_settings_valid, true) ANSWER(dco_update_keys, true)
    ANSWER(do_deferred_options, true) ANSWER(do_up, true)
    ANSWER(format_common_name, "") ANSWER(mroute_addr_print, "") ANSWER(tls_common_name, "")

    UNUSED_DATA(management) UNUSED_DATA(mmap_stats) UNUSED_DATA(occ_magic)
    UNUSED_DATA(port_share) UNUSED_DATA(x_cs_err_delay_ms) UNUSED_DATA(x_cs_info_level)
    UNUSED_DATA(x_cs_verbose_level) UNUSED_DATA(x_msg_prefix) UNUSED_DATA(x_session_id_zero)
/* *INDENT-ON* */

/*
 * Microsoft's source annotations (SAL): words that say how an argument is used, and that compile to nothing.
 *
 * The old words (__in, __out) are names that libstdc++ uses for its own variables, so in C++ the standard headers that do
 * so are included first (<regex> is not: include it before <windows.h>). Define NTHTTP_NO_OLD_SAL to do without the old words.
 */
#ifndef NTHTTP_SAL_H
#define NTHTTP_SAL_H

/* Direction */
#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _Inout_
#define _Inout_opt_
#define _Inout_z_
#define _Out_
#define _Out_opt_
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Outptr_opt_result_maybenull_
#define _Outptr_result_z_
#define _Outptr_result_nullonfailure_
#define _Outptr_result_buffer_(count)
#define _Outptr_result_bytebuffer_(count)
#define _COM_Outptr_
#define _Deref_out_
#define _Reserved_
#define _Printf_format_string_

/* Size */
#define _In_reads_(count)
#define _In_reads_opt_(count)
#define _In_reads_z_(count)
#define _In_reads_or_z_(count)
#define _In_reads_bytes_(count)
#define _In_reads_bytes_opt_(count)
#define _Inout_updates_(count)
#define _Inout_updates_opt_(count)
#define _Inout_updates_bytes_(count)
#define _Inout_updates_bytes_opt_(count)
#define _Out_writes_(count)
#define _Out_writes_opt_(count)
#define _Out_writes_z_(count)
#define _Out_writes_opt_z_(count)
#define _Out_writes_to_(count, written)
#define _Out_writes_to_opt_(count, written)
#define _Out_writes_all_(count)
#define _Out_writes_bytes_(count)
#define _Out_writes_bytes_opt_(count)
#define _Out_writes_bytes_to_(count, written)
#define _Out_writes_bytes_to_opt_(count, written)
#define _Out_writes_bytes_all_(count)
#define _Field_size_(count)
#define _Field_size_opt_(count)
#define _Field_size_bytes_(count)
#define _Field_size_bytes_opt_(count)
#define _Field_z_
#define _Null_terminated_
#define _NullNull_terminated_

/* Result and effect */
#define _Success_(condition)
#define _Return_type_success_(condition)
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Ret_z_
#define _Must_inspect_result_
#define _Check_return_
#define _Maybenull_
#define _Notnull_
#define _Frees_ptr_
#define _Frees_ptr_opt_
#define _Pre_
#define _Pre_maybenull_
#define _Pre_notnull_
#define _Post_
#define _Post_ptr_invalid_
#define _Post_invalid_
#define _Post_equals_last_error_
#define _When_(condition, annotation)
#define _At_(target, annotation)
#define _Analysis_assume_(condition)
#define _Use_decl_annotations_
#define _Function_class_(name)
#define _Callback_
#define _Interlocked_operand_
#define _Guarded_by_(lock)
#define _Requires_lock_held_(lock)
#define _Acquires_lock_(lock)
#define _Releases_lock_(lock)
#define _Acquires_exclusive_lock_(lock)
#define _Releases_exclusive_lock_(lock)
#define _Acquires_shared_lock_(lock)
#define _Releases_shared_lock_(lock)
#define _Inexpressible_(expression)

#ifndef NTHTTP_NO_OLD_SAL
#ifdef __cplusplus
extern "C++" {
#include <algorithm>
#include <atomic>
#include <istream>
#include <locale>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
}
#endif
#define __in
#define __in_opt
#define __in_z
#define __in_z_opt
#define __in_bcount(count)
#define __in_bcount_opt(count)
#define __in_ecount(count)
#define __in_ecount_opt(count)
#define __inout
#define __inout_opt
#define __inout_z
#define __inout_bcount(count)
#define __inout_bcount_opt(count)
#define __inout_ecount(count)
#define __inout_ecount_opt(count)
#define __out
#define __out_opt
#define __out_z
#define __out_bcount(count)
#define __out_bcount_opt(count)
#define __out_bcount_part(count, written)
#define __out_bcount_part_opt(count, written)
#define __out_ecount(count)
#define __out_ecount_opt(count)
#define __out_ecount_part(count, written)
#define __out_ecount_part_opt(count, written)
#define __out_ecount_z(count)
#define __deref_in
#define __deref_in_opt
#define __deref_inout
#define __deref_inout_opt
#define __deref_out
#define __deref_out_opt
#define __deref_opt_out
#define __reserved
#define __checkReturn
#define __nullterminated
#define __success(condition)
#define __callback
#endif

#endif

//! The texts of Win32 errors, in English; those of WinHTTP are in `messages_winhttp`.

/// The text of an error, without line end.
pub(super) fn of(code: u32) -> Option<&'static str> {
    TEXTS.binary_search_by_key(&code, |(code, _)| *code).ok().map(|index| TEXTS[index].1)
}

/// In the order of the codes.
const TEXTS: &[(u32, &str)] = &[
    (0, "The operation completed successfully."),
    (1, "Incorrect function."),
    (2, "The system cannot find the file specified."),
    (3, "The system cannot find the path specified."),
    (4, "The system cannot open the file."),
    (5, "Access is denied."),
    (6, "The handle is invalid."),
    (8, "Not enough memory resources are available to process this command."),
    (13, "The data is invalid."),
    (14, "Not enough memory resources are available to complete this operation."),
    (18, "There are no more files."),
    (19, "The media is write protected."),
    (21, "The device is not ready."),
    (22, "The device does not recognize the command."),
    (24, "The program issued a command but the command length is incorrect."),
    (31, "A device attached to the system is not functioning."),
    (32, "The process cannot access the file because it is being used by another process."),
    (38, "Reached the end of the file."),
    (50, "The request is not supported."),
    (52, "You were not connected because a duplicate name exists on the network."),
    (55, "The specified network resource or device is no longer available."),
    (64, "The specified network name is no longer available."),
    (80, "The file exists."),
    (87, "The parameter is incorrect."),
    (109, "The pipe has been ended."),
    (111, "The file name is too long."),
    (112, "There is not enough space on the disk."),
    (120, "This function is not supported on this system."),
    (121, "The semaphore timeout period has expired."),
    (122, "The data area passed to a system call is too small."),
    (123, "The filename, directory name, or volume label syntax is incorrect."),
    (126, "The specified module could not be found."),
    (127, "The specified procedure could not be found."),
    (131, "An attempt was made to move the file pointer before the beginning of the file."),
    (145, "The directory is not empty."),
    (183, "Cannot create a file when that file already exists."),
    (206, "The filename or extension is too long."),
    (232, "The pipe is being closed."),
    (234, "More data is available."),
    (240, "The session was canceled."),
    (258, "The wait operation timed out."),
    (259, "No more data is available."),
    (298, "Too many posts were made to a semaphore."),
    (317, "The system cannot find message text for the message number in the message file."),
    (534, "Arithmetic result exceeded 32 bits."),
    (735, "A wait operation was abandoned."),
    (995, "The I/O operation has been aborted because of either a thread exit or an application request."),
    (996, "Overlapped I/O event is not in a signaled state."),
    (997, "Overlapped I/O operation is in progress."),
    (998, "Invalid access to memory location."),
    (1002, "The window cannot act on the sent message."),
    (1004, "Invalid flags."),
    (1058, "The service cannot be started because it is disabled."),
    (1062, "The service has not been started."),
    (1113, "No mapping for the Unicode character exists in the target multi-byte code page."),
    (1114, "A dynamic link library (DLL) initialization routine failed."),
    (1115, "A system shutdown is in progress."),
    (1117, "The request could not be performed because of an I/O device error."),
    (1150, "The specified program requires a newer version of Windows."),
    (1154, "One of the library files needed to run this application is damaged."),
    (1167, "The device is not connected."),
    (1168, "Element not found."),
    (1223, "The operation was canceled by the user."),
    (1225, "The remote computer refused the network connection."),
    (1226, "The network connection was gracefully closed."),
    (1229, "An operation was attempted on a nonexistent network connection."),
    (1231, "The network location cannot be reached."),
    (1232, "The network location cannot be reached."),
    (1234, "No service is operating at the destination network endpoint on the remote system."),
    (1236, "The network connection was aborted by the local system."),
    (1237, "The operation could not be completed. A retry should be performed."),
    (
        1238,
        "A connection to the server could not be made because the limit on the number of concurrent connections for this account has been reached.",
    ),
    (1306, "Indicates two revision levels are incompatible."),
    (1311, "There are currently no logon servers available to service the logon request."),
    (1312, "A specified logon session does not exist. It may already have been terminated."),
    (1314, "A required privilege is not held by the client."),
    (1326, "The user name or password is incorrect."),
    (1337, "The security ID structure is invalid."),
    (1338, "The security descriptor structure is invalid."),
    (1343, "The value provided was an invalid value for an identifier authority."),
    (1359, "An internal error occurred."),
    (1450, "Insufficient system resources exist to complete the requested service."),
    (1460, "This operation returned because the timeout period expired."),
    (1784, "The supplied user buffer is not valid for the requested operation."),
    (1815, "The specified resource language ID cannot be found in the image file."),
    (4317, "The operation identifier is not valid."),
    (5023, "The group or resource is not in the correct state to perform the requested operation."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_in_order_and_found() {
        assert!(TEXTS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(of(5), Some("Access is denied."));
        assert_eq!(of(7), None);
    }
}
